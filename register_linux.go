//go:build linux && !android

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"causa/assets"
)

// desktopFile is how Linux desktops know the app: its name, its icon, and that links
// which begin with causa: are for it.
const desktopFile = `[Desktop Entry]
Type=Application
Name=Causa
Name[zh_CN]=Causa 事由
GenericName=Messenger
Comment=Talk in matters, end-to-end encrypted
Comment[zh_CN]=以事项为单位的端到端加密工作沟通
Exec=@EXEC@ %u
Icon=@ICON@
Terminal=false
Categories=Network;InstantMessaging;Office;
MimeType=x-scheme-handler/causa;
StartupWMClass=causa
`

// register tells the desktop of this user that the program at path opens causa: links.
func register(ctx context.Context, path string) error {
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		data = filepath.Join(home, ".local", "share")
	}
	dir, icons := filepath.Join(data, "applications"), filepath.Join(data, "icons", "hicolor", "512x512", "apps")
	for _, d := range []string{dir, icons} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	icon := filepath.Join(icons, "im.causa.Causa.png")
	if err := os.WriteFile(icon, assets.Mark, 0o644); err != nil {
		return err
	}
	text := strings.NewReplacer("@EXEC@", quoteExec(path), "@ICON@", icon).Replace(desktopFile)
	if err := os.WriteFile(filepath.Join(dir, "im.causa.Causa.desktop"), []byte(text), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// A desktop without these tools finds the file by itself.
	if _, err := exec.LookPath("xdg-mime"); err == nil {
		return exec.CommandContext(ctx, "xdg-mime", "default", "im.causa.Causa.desktop", "x-scheme-handler/causa").Run()
	}
	return nil
}

// quoteExec writes a path as the Exec line of a desktop file wants it.
func quoteExec(path string) string {
	path = strings.NewReplacer(`\`, `\\\\`, `"`, `\\"`, "`", "\\\\`", "$", `\\$`, "%", "%%").Replace(path)
	return `"` + path + `"`
}
