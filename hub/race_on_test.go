//go:build race

package hub_test

const raceEnabled = true // everything takes several times as long
