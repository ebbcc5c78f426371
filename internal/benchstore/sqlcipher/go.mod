module causa/internal/benchstore/sqlcipher

go 1.26.0

require (
	causa v0.0.0
	github.com/mutecomm/go-sqlcipher/v4 v4.4.2
)

require golang.org/x/sys v0.49.0 // indirect

replace causa => ../../..
