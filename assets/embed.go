// Package assets holds what the programs carry inside them: fonts, icons and translations.
package assets

import "embed"

// Regular and SemiBold are the two weights of Causa Sans, as TrueType.
var (
	//go:embed fonts/CausaSans-Regular.ttf
	Regular []byte
	//go:embed fonts/CausaSans-SemiBold.ttf
	SemiBold []byte
)

// Icons holds icons/NAME.svg, drawn in currentColor.
//
//go:embed icons/*.svg
var Icons embed.FS

// Mark is the app's icon, 512 pixels wide.
//
//go:embed icons/causa.png
var Mark []byte

// Translations holds translations/LANGUAGE.json.
//
//go:embed translations/*.json
var Translations embed.FS

// Wordlists holds wordlists/LANGUAGE.txt: 2,048 words each, one a line.
//
//go:embed wordlists/*.txt
var Wordlists embed.FS
