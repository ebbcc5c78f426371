// Package invite is the sheet on which one invites a person, or a device of one's own.
package invite

import (
	"context"
	"strings"
	"time"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
)

// An Engine is what this screen needs of one.
type Engine interface {
	Invite(ctx context.Context, r core.InviteRequest) (core.Invitation, error)
	InviteDevice(ctx context.Context, member matter.MemberID, expires time.Duration) (core.Invitation, error)
}

// ShowPerson opens the sheet that invites a person.
func ShowPerson(env *screen.Env, engine Engine) {
	notice := appwidget.NewNotice()
	name := appwidget.NewEntry(env.T("Name, as colleagues know it"))
	field := appwidget.NewField(env.T("Name"), name, "")
	offered := []matter.Role{matter.RoleMember, matter.RoleAdmin, matter.RoleGuest, matter.RoleBot}
	var labels []string
	for _, r := range offered {
		labels = append(labels, env.Role(r))
	}
	role := appwidget.NewChoice(labels, 0, nil)
	lasting := appwidget.NewChoice([]string{env.T("%d hours", 24), env.T("%d days", 3), env.T("%d days", 7)}, 1, nil)
	body := appwidget.NewColumn(16, notice, field, appwidget.NewField(env.T("Role"), role, ""),
		appwidget.NewField(env.T("The invite works for"), lasting, env.T("It works once, for one device. Send it over a channel you trust.")))
	var sheet *appwidget.Sheet
	var act *appwidget.Button
	submit := func() {
		field.SetProblem("")
		defer sheet.Fit()
		who := strings.TrimSpace(name.Text)
		if who == "" {
			field.SetProblem(env.T("Say whom you invite."))
			env.Window.Focus(name)
			return
		}
		notice.Clear()
		act.Disable()
		request := core.InviteRequest{Name: who, Role: offered[max(role.Chosen(), 0)], Expires: periods[max(lasting.Chosen(), 0)]}
		var made core.Invitation
		env.Do(func(ctx context.Context) (err error) {
			made, err = engine.Invite(ctx, request)
			return err
		}, func(err error) {
			act.Enable()
			if err != nil {
				notice.Fail(env.Fault(err))
				sheet.Fit()
				return
			}
			sheet.Close()
			showLink(env, env.T("Invite for %s", appwidget.OneLine(who)), made)
		})
	}
	name.OnSubmitted = func(string) { submit() }
	act = appwidget.NewButton(env.T("Make invite"), appwidget.Primary, submit)
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { sheet.Close() }), act)
	sheet = appwidget.ShowSheet(env.Window, env.T("Invite a person"), 480, body, foot)
	env.Window.Focus(name)
}

var periods = []time.Duration{24 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour}

// ShowDevice makes an invite for a further device of a member: of oneself, or, by an
// administrator, of somebody whose device or invite was lost.
func ShowDevice(env *screen.Env, engine Engine, member matter.MemberID) {
	var made core.Invitation
	env.Do(func(ctx context.Context) (err error) {
		made, err = engine.InviteDevice(ctx, member, 24*time.Hour)
		return err
	}, func(err error) {
		if err != nil {
			env.TellFault(err)
			return
		}
		title := env.T("Link a device")
		if member != env.People.Self {
			title = env.T("Invite for %s", appwidget.OneLine(env.Name(member)))
		}
		showLink(env, title, made)
	})
}

// showLink shows an invite as a QR code and as a link to copy.
func showLink(env *screen.Env, title string, made core.Invitation) {
	var sheet *appwidget.Sheet
	link := appwidget.NewText(made.Link)
	link.Style.Monospace = true
	link.Points = apptheme.SizeTiny
	link.Color = apptheme.Muted
	shown := appwidget.NewFill(apptheme.Field, link)
	shown.Radius, shown.Inset = apptheme.Radius, appwidget.Insets{Top: 8, Right: 12, Bottom: 8, Left: 12}
	var copied *appwidget.Button
	copied = appwidget.NewIconButton("copy", env.T("Copy link"), appwidget.Primary, func() {
		env.Copy(made.Link)
		copied.SetIcon("check")
		copied.SetText(env.T("Copied"))
		sheet.Fit()
	})
	objects := []fyne.CanvasObject{}
	if code, err := screen.Code(made.Link); err == nil {
		objects = append(objects, appwidget.NewCentre(code))
	}
	objects = append(objects,
		appwidget.NewText(env.T("Open this link in Causa on the new device, or scan the code with its camera.")).Wrapped().Centered(),
		shown,
		appwidget.NewSmall(env.T("Valid until %s, once, for one device. Whoever has it can join: send it over a channel you trust.", env.Words.Moment(made.Expires, env.Now()))).Wrapped().Centered())
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Done"), appwidget.Quiet, func() { sheet.Close() }), copied)
	sheet = appwidget.ShowSheet(env.Window, title, 460, appwidget.NewColumn(14, objects...), foot)
	env.Window.Focus(copied)
}
