//go:build linux && cgo

package main

import (
	"fmt"
	"time"

	"causa/crypto/mls"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// A company is an organisation at the hub under test, with as many devices as a run
// needs.
type company struct {
	addr    string
	org     *hubtest.Company
	devices []*hubtest.Device
}

// found founds the organisation. Its founder's device is the first.
func found(addr, link string) (*company, error) {
	org, owner, err := hubtest.Found(addr, link)
	if err != nil {
		return nil, err
	}
	return &company{addr: addr, org: org, devices: []*hubtest.Device{owner}}, nil
}

// grow hires members, each with one device, until there are n devices, and lets each
// publish the key package by which it is added to matters.
func (c *company) grow(n int) error {
	owner, _, err := c.devices[0].Connect() // else each invitation takes a connection of its own
	if err != nil {
		return err
	}
	defer owner.Close()
	for len(c.devices) < n {
		d, err := c.org.Hire(matter.RoleMember)
		if err != nil {
			return fmt.Errorf("hire: %w", err)
		}
		p, _, err := connect(c.addr, d, 4<<10)
		if err != nil {
			return err
		}
		kp, _, err := mls.NewKeyPackage(mls.Classic, d.ID[:], d.Key, mls.KeyPackageOptions{LastResort: true})
		if err != nil {
			return err
		}
		_, err = p.call(&pb.ClientFrame{Body: &pb.ClientFrame_PublishKeyPackages{PublishKeyPackages: &pb.PublishKeyPackages{LastResort: kp.Bytes()}}})
		p.close()
		if err != nil {
			return fmt.Errorf("publish a key package: %w", err)
		}
		c.devices = append(c.devices, d)
	}
	return nil
}

// A thread is a matter and the epoch it is in.
type thread struct {
	id    matter.ID
	epoch uint64
}

// open opens a matter of the first device with others in it, as a real MLS group.
func open(p *client, others []*hubtest.Device) (thread, error) {
	id := matter.NewID()
	d := p.device
	g, err := mls.Create(mls.Classic, id[:], d.ID[:], d.Key, mls.GroupOptions{})
	if err != nil {
		return thread{}, err
	}
	info, err := g.GroupInfo()
	if err != nil {
		return thread{}, err
	}
	if _, err := p.call(&pb.ClientFrame{Body: &pb.ClientFrame_CreateMatter{CreateMatter: &pb.CreateMatter{Matter: id[:], GroupInfo: info}}}); err != nil {
		return thread{}, fmt.Errorf("open a matter: %w", err)
	}
	ask := &pb.ClaimKeyPackages{Suite: uint32(mls.Classic)}
	for _, o := range others {
		ask.Devices = append(ask.Devices, o.ID[:])
	}
	f, err := p.call(&pb.ClientFrame{Body: &pb.ClientFrame_ClaimKeyPackages{ClaimKeyPackages: ask}})
	if err != nil {
		return thread{}, fmt.Errorf("claim key packages: %w", err)
	}
	bundle := &pb.CommitBundle{Matter: id[:]}
	var add mls.CommitRequest
	for _, claimed := range f.GetKeyPackages().GetClaimed() {
		kp, err := mls.ParseKeyPackage(claimed.GetKeyPackage())
		if err != nil {
			return thread{}, err
		}
		add.Add = append(add.Add, kp)
		bundle.WelcomeDevices = append(bundle.WelcomeDevices, claimed.GetDevice())
	}
	if len(add.Add) != len(others) {
		return thread{}, fmt.Errorf("claimed %d key packages of %d", len(add.Add), len(others))
	}
	pending, err := g.Commit(add)
	if err != nil {
		return thread{}, err
	}
	bundle.Commit, bundle.Welcome, bundle.GroupInfo = pending.Commit(), pending.Welcome(), pending.GroupInfo()
	if _, err := p.call(&pb.ClientFrame{Body: &pb.ClientFrame_CommitBundle{CommitBundle: bundle}}); err != nil {
		return thread{}, fmt.Errorf("add devices: %w", err)
	}
	return thread{id: id, epoch: 1}, nil
}

// dropWelcomes clears what waits for a device: joining is the device's work, not the hub's.
func dropWelcomes(p *client) error {
	for {
		f, err := p.call(&pb.ClientFrame{Body: &pb.ClientFrame_TakeWelcomes{TakeWelcomes: &pb.TakeWelcomes{}}})
		if err != nil {
			return err
		}
		items := f.GetWelcomes().GetItems()
		if len(items) == 0 {
			return nil
		}
		drop := &pb.DropWelcomes{}
		for _, it := range items[:min(len(items), wire.MaxDrop)] {
			drop.Ids = append(drop.Ids, it.GetId())
		}
		if _, err := p.call(&pb.ClientFrame{Body: &pb.ClientFrame_DropWelcomes{DropWelcomes: drop}}); err != nil {
			return err
		}
	}
}

// payload is what a sealed message of a few sentences has.
const payloadSize = 600

// began is the zero of the times that messages carry.
var began = time.Now()
