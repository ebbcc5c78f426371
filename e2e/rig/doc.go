// Package rig builds Causa's programs and runs them as a person would: as processes of
// their own, in a temporary folder, on this machine only. The scripts, the demo and the
// long tests of e2e stand on it.
package rig
