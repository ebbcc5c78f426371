package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"causa/hub/db"
	"causa/matter"
	"causa/orglog"
)

// Check looks through a data folder, also while a hub runs on it, and returns what is
// wrong, nothing when it is sound. Problems name numbers, never people.
func Check(ctx context.Context, at Place) (problems []string, err error) {
	s, err := openSnapshot(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return check(ctx, s)
}

func check(ctx context.Context, s *db.Snapshot) (problems []string, err error) {
	if problems, err = s.Problems(ctx); err != nil {
		return nil, storeFault(err)
	}
	state, broken, err := checkLog(ctx, s)
	if err != nil {
		return nil, storeFault(err)
	}
	problems = append(problems, broken...)
	devices, err := s.Devices(ctx)
	if err != nil {
		return nil, storeFault(err)
	}
	problems = append(problems, checkDevices(state, devices)...)
	matters, err := s.Matters(ctx)
	if err != nil {
		return nil, storeFault(err)
	}
	for _, no := range matters {
		problem, err := checkMatter(ctx, s, &org{state: state}, devices, no)
		if err != nil {
			return nil, storeFault(err)
		}
		if problem != "" {
			problems = append(problems, fmt.Sprintf("matter %d: %s", no, problem))
		}
	}
	return problems, nil
}

// checkLog verifies the organisation log from its root, every signature and rule.
func checkLog(ctx context.Context, s *db.Snapshot) (state *orglog.State, problems []string, err error) {
	state = orglog.NewState()
	err = s.Log(ctx, func(index uint64, raw []byte) error {
		if len(problems) > 0 {
			return nil
		}
		e, err := orglog.Decode(raw)
		if err == nil && e.Index != index {
			err = fmt.Errorf("it says that it is entry %d", e.Index)
		}
		if err == nil {
			err = state.Apply(e)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("organisation log, entry %d: %v", index, err))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	head, err := s.Meta(ctx, metaHead)
	if err != nil {
		return nil, nil, err
	}
	if want := state.Head(); len(problems) == 0 && state.Next() > 0 && !slices.Equal(head, want[:]) {
		problems = append(problems, "organisation log: it does not end where the database says it does")
	}
	return state, problems, nil
}

// checkDevices holds the numbered devices to those that the log has enrolled.
func checkDevices(state *orglog.State, devices map[db.DeviceNo]matter.DeviceID) (problems []string) {
	numbered := map[matter.DeviceID]bool{}
	for no, id := range devices {
		numbered[id] = true
		if _, _, ok := state.Device(id); !ok {
			problems = append(problems, fmt.Sprintf("device %d: not in the organisation log", no))
		}
	}
	for _, d := range state.Devices() {
		if !numbered[d.ID] {
			problems = append(problems, "a device of the organisation log has no number")
		}
	}
	return problems
}

// checkMatter holds a matter's participants to the leaves of its group.
func checkMatter(ctx context.Context, s *db.Snapshot, o *org, devices map[db.DeviceNo]matter.DeviceID, no db.MatterNo) (problem string, err error) {
	id, epoch, info, participants, err := s.Group(ctx, no)
	if err != nil {
		return "", err
	}
	group, err := openGroup(o, info, false)
	if err != nil {
		return fmt.Sprintf("group info: %v", err), nil
	}
	if !slices.Equal(group.GroupID(), id[:]) || group.Epoch() != epoch {
		return "the group info is another group's or of another epoch", nil
	}
	in := make([]matter.DeviceID, len(participants))
	for i, no := range participants {
		in[i] = devices[no]
	}
	var leaves []matter.DeviceID
	for _, m := range group.Members() {
		leaf, err := deviceOf(m.Identity)
		if err != nil {
			return err.Error(), nil
		}
		leaves = append(leaves, leaf)
	}
	if !sameDevices(in, leaves) {
		return fmt.Sprintf("%d devices are in it, but its group has %d leaves, or others", len(in), len(leaves)), nil
	}
	return "", nil
}
