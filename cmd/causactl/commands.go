package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"causa/dnd"
)

// A command is one thing causactl can do.
type command struct {
	name, args, help string
	least, most      int // how many arguments; most < 0: any number
	// prepare declares flags and returns what to do with the arguments.
	prepare func(*call) func(args []string) error
}

// commands in the order in which help lists them.
func commands() []command {
	return []command{
		{"join", "LINK --name NAME [--org NAME] [--device NAME]", "join an organisation, or found it with a founding link", 1, 1, join},
		{"whoami", "", "say who this device is", 0, 0, whoami},
		{"invite", "NAME [--role ROLE] [--expires 72h]", "invite somebody; prints the link", 1, 1, invite},
		{"invite-device", "[MEMBER] [--expires 72h]", "invite a further device of yours, or of a member", 0, 1, inviteDevice},
		{"members", "", "list the members", 0, 0, members},
		{"devices", "", "list the devices", 0, 0, devices},
		{"revoke", "DEVICE [--reason TEXT]", "end a device for good", 1, 1, revoke},
		{"matter open", "TITLE [--class CLASS] [--with A,B] [--due DATE] [--history everything] [--parent MATTER] [--draft]", "start a matter; prints its id", 1, 1, matterOpen},
		{"matter start", "MATTER", "start a matter that was a draft", 1, 1, matterStart},
		{"matter list", "[--mine] [--open] [--waiting] [--class CLASS] [--state STATE] [--due-by DATE]", "list the matters", 0, 0, matterList},
		{"waiting", "", "list what waits for you in all matters", 0, 0, waiting},
		{"side", "MATTER pinned|tasks|polls|decisions|history", "list one side of a matter", 2, 2, side},
		{"matter show", "MATTER", "show a matter", 1, 1, matterShow},
		{"matter add", "MATTER MEMBER... [--part observer|guest] [--until DATE]", "bring members into a matter", 2, -1, matterAdd},
		{"matter remove", "MATTER MEMBER", "take a member out of a matter", 2, 2, matterRemove},
		{"matter part", "MATTER MEMBER participant|observer|guest [--until DATE]", "give a member another part in a matter", 3, 3, matterPart},
		{"matter leave", "MATTER", "leave a matter", 1, 1, matterLeave},
		{"matter state", "MATTER open|waiting|archived [--on MEMBER] [--until DATE] [--why TEXT]", "say where a matter stands", 2, 2, matterState},
		{"matter title", "MATTER TITLE", "give a matter another title", 2, 2, matterTitle},
		{"matter class", "MATTER CLASS", "give a matter another class", 2, 2, matterClass},
		{"matter ref", "MATTER REFERENCE|none", "give a matter your own reference", 2, 2, matterRef},
		{"matter due", "MATTER DATE|none", "say when a matter is due", 2, 2, matterDue},
		{"matter owner", "MATTER MEMBER", "hand a matter over", 2, 2, matterOwner},
		{"matter label", "MATTER LABEL [--off]", "put a label on a matter", 2, 2, matterLabel},
		{"matter link", "MATTER OTHER [--off]", "link another matter", 2, 2, matterLink},
		{"matter parent", "MATTER PARENT|none", "make a matter part of another", 2, 2, matterParent},
		{"matter history", "MATTER everything|from-now", "decide what newcomers read", 2, 2, matterHistory},
		{"matter conclude", "MATTER DECISION [--fact NAME=VALUE]... [--cosigner A,B]", "close a matter with a signed result", 2, 2, matterConclude},
		{"matter cosign", "MATTER", "sign the conclusion that waits for you", 1, 1, matterCosign},
		{"matter decline", "MATTER WHY", "refuse to sign it", 2, 2, matterDecline},
		{"matter withdraw", "MATTER", "take back a conclusion that waits for signatures", 1, 1, matterWithdraw},
		{"matter reopen", "MATTER [WHY]", "have a concluded matter go on", 1, 2, matterReopen},
		{"send", "MATTER TEXT [--lines] [--urgent REASON | --at TIME]", "say something; TEXT - reads standard input, with --lines one message a line", 2, 2, send},
		{"later", "[MESSAGE --at TIME [--text TEXT] | --cancel]", "list what is to be sent later, or change it", 0, 1, later},
		{"urgent", "MATTER", "list the urgent messages and who has acknowledged them", 1, 1, urgentList},
		{"ack", "MATTER", "acknowledge the urgent messages of a matter", 1, 1, ack},
		{"digest", "[--peek]", "list what quiet hours have held back, once", 0, 0, digest},
		{"status", "available|away|meeting [--until TIME]", "say how you want to be met", 1, 1, status},
		{"presence", "MATTER", "say how the people in a matter can be met", 1, 1, presence},
		{"wake", "URL|off", "have the hub wake this device with an empty POST there", 1, 1, wake},
		{"dnd show", "", "show your quiet hours", 0, 0, dndShow},
		{"dnd add", "FROM-TO [--days DAYS] [--date DATE]", "add a quiet window", 1, 1, dndAdd},
		{"dnd remove", "NUMBER|all", "remove a quiet window", 1, 1, dndRemove},
		{"dnd now", "--until TIME", "be quiet from now on", 0, 0, dndManual(dnd.ManualQuiet)},
		{"dnd off", "--until TIME", "have no quiet hours from now on", 0, 0, dndManual(dnd.ManualOff)},
		{"dnd auto", "", "end what “now” or “off” has switched", 0, 0, dndAuto},
		{"dnd matter", "MATTER always|never|windows|usual [--window WINDOW]", "have other quiet hours for a matter", 2, 2, dndMatter},
		{"dnd vip", "MEMBER [--remove]", "let a person break through", 1, 1, dndVIP},
		{"dnd zone", "ZONE [--travels]", "set the time zone of your quiet hours", 1, 1, dndZone},
		{"dnd calendar", "cn|none|FILE", "set the calendar of holidays: China's, none, or an iCalendar file", 1, 1, dndCalendar},
		{"dnd floor", "FROM-TO|none [--days DAYS] [--zone ZONE] [--loosen] [--stops-urgent]", "set the quiet hours of the whole organisation", 1, 1, dndFloor},
		{"dnd private", "yes|no", "keep your quiet hours from the hub", 1, 1, dndPrivate},
		{"file send", "MATTER [PATH...] [--caption TEXT]", "send files, which must not change meanwhile; without PATH, go on with what is queued", 1, -1, fileSend},
		{"file list", "MATTER", "list the files of a matter", 1, 1, fileList},
		{"file get", "MATTER FILE [-o PATH]", "save a file; FILE is its number in the log, its id or its name", 2, 2, fileGet},
		{"talk", "MATTER", "print a matter as it grows, and say what is typed", 1, 1, talk},
		{"reply", "MATTER SEQ TEXT", "answer a message; SEQ is its number in the log", 3, 3, reply},
		{"react", "MATTER SEQ EMOJI [--off]", "put a sign beside a message, or take it away", 3, 3, react},
		{"edit", "MATTER SEQ TEXT", "change what a message of yours says", 3, 3, edit},
		{"versions", "MATTER SEQ", "print all that a message has said", 2, 2, versions},
		{"recall", "MATTER SEQ", "take a message back: its content is destroyed on every device", 2, 2, recall},
		{"pin", "MATTER SEQ [--off]", "keep a message in sight", 2, 2, pin},
		{"move", "MATTER SEQS --to MATTER [--copy] [--yes]", "bring messages, such as 3,5-9, to another matter", 2, 2, move},
		{"split", "MATTER SEQS TITLE [--with A,B] [--class CLASS] [--copy] [--yes]", "start a matter with messages of another", 3, 3, split},
		{"merge", "MATTER --to MATTER [--copy] [--yes]", "bring all texts of a matter to another", 1, 1, merge},
		{"task add", "MATTER TEXT [--for MEMBER] [--due DATE]", "set a task", 2, 2, taskAdd},
		{"task set", "MATTER SEQ [--done] [--undone] [--for MEMBER] [--due DATE]", "change a task", 2, 2, taskSet},
		{"poll ask", "MATTER QUESTION ANSWER ANSWER... [--multiple]", "ask something", 4, -1, pollAsk},
		{"poll vote", "MATTER SEQ [NUMBER...]", "choose answers, counted from 1; none takes the vote back", 2, -1, pollVote},
		{"poll end", "MATTER SEQ", "close a poll", 2, 2, pollEnd},
		{"log", "MATTER", "print what was said in a matter", 1, 1, logOf},
		{"search", "QUERY [--matter MATTER]", "find what was said, and titles of matters", 1, 1, search},
		{"export", "MATTER -o FILE", "write a matter into one file: to read, and to prove", 1, 1, export},
		{"verify", "FILE [--org ID] [--print]", "check an exported matter; needs neither hub nor account", 1, 1, verify},
		{"watch", "", "print what happens until interrupted", 0, 0, watch},
		{"device lock", "DEVICE [--reason TEXT]", "have the hub serve a device no more until it is unlocked", 1, 1, deviceLock},
		{"device unlock", "DEVICE", "end the lock of a device", 1, 1, deviceUnlock},
		{"wipe", "DEVICE|MEMBER --reason TEXT [--matter MATTER] [--expires 87600h]", "order data of the organisation destroyed; prints the order's number", 1, 1, wipe},
		{"wipe approve", "ORDER", "agree to a wipe order", 1, 1, wipeApprove},
		{"wipe withdraw", "ORDER", "take back a wipe order that has not taken effect", 1, 1, wipeWithdraw},
		{"wipe list", "", "list the wipe orders and how far they have come", 0, 0, wipeList},
		{"offboard", "MEMBER --reason TEXT", "end a membership and take back what its devices hold", 1, 1, offboard},
		{"policy", "[NAME [VALUE]]", "list the organisation's policies, or set one; an empty VALUE brings back the default", 0, 2, policy},
		{"tries", "DEVICE [--reason TEXT]", "let a device that is locked after wrong passcodes try again", 1, 1, tries},
		{"passcode set", "", "give this device a passcode, or another one ($CAUSA_PASSCODE, $CAUSA_NEW_PASSCODE, their _FILE, or a prompt)", 0, 0, passcodeSet},
		{"passcode clear", "", "take this device's passcode away", 0, 0, passcodeClear},
		{"module list", "", "list the sealed modules, and how much waits in them", 0, 0, moduleList},
		{"module invite", "MODULE [MEMBER]", "invite a further device into a sealed module: your own, in the module, or as an administrator a member's", 1, 2, moduleInvite},
		{"module add", "MODULE [--invite LINK]", "give this device a sealed module under a passcode of its own ($CAUSA_NEW_PASSCODE, its _FILE, or a prompt)", 1, 1, moduleAdd},
		{"unlock", "", "try the passcode, and say how long it works without the hub", 0, 0, unlock},
		{"lock", "", "have the next opening ask the hub", 0, 0, lock},
		{"audit", "", "verify and print the organisation log", 0, 0, audit},
	}
}

// find returns the command that args begin with, and the rest of them.
func find(args []string) (*command, []string) {
	var found *command
	words := 0
	for _, c := range commands() { // the longest name counts: "wipe list" is not "wipe" of "list"
		name := strings.Fields(c.name)
		if len(name) > words && len(args) >= len(name) && strings.Join(args[:len(name)], " ") == c.name {
			found, words = &c, len(name)
		}
	}
	return found, args[words:]
}

func usage(w io.Writer, global *pflag.FlagSet) {
	_, _ = fmt.Fprintf(w, "causactl [flags] COMMAND\n\nCommands:\n")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(w, "  %-62s %s\n", c.name+" "+c.args, c.help)
	}
	_, _ = fmt.Fprintf(w, "\nMATTER is an id, an unambiguous prefix of it, or the title.\n\nFlags:\n%s", global.FlagUsages())
}
