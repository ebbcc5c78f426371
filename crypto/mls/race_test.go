//go:build race

package mls

const raceDetector = true
