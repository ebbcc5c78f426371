// Package core is the client engine: account, sync, outbox, matters. It has no window;
// the app and causactl are two faces of it.
package core
