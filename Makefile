# Causa 事由. Two commands matter: `make run` and `make test`. The rest is listed by `make help`.

# One set of build tags for everything: another set compiles SQLite and the window
# toolkit again, which takes minutes.
TAGS := x11,gles,migrated_fynedo,sqlite_fts5
export GOFLAGS := -tags=$(TAGS) -buildvcs=false
# Debian's Go does not fetch the version that go.mod asks for unless it is told to.
export GOTOOLCHAIN ?= auto
# scripts/deps.sh leaves a Go here when the machine has none, or one that is too old.
export PATH := $(CURDIR)/.cache/go/bin:$(PATH):/usr/local/go/bin

TOOL := go tool -modfile=tools/go.mod

# Where goroutines matter: these run under the race detector.
RACE := ./core/... ./hub/... ./wire/... ./orglog/... ./internal/...
# The screens: without cgo and without a display.
SCREENS := ./app/...

FUZZTIME ?= 10s
# What the app says of itself; a release is built with make build VERSION=1.2.3.
VERSION ?=

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@echo "Causa 事由 — a messenger for companies that talk in matters"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- use ------------------------------------------------------------------------

.PHONY: deps
deps: ## install what building needs and this machine lacks
	@bash scripts/deps.sh build

.PHONY: test-deps
test-deps:
	@bash scripts/deps.sh build test

.PHONY: build
build: deps ## build bin/causa (app), bin/causa-hub (server), bin/causactl (windowless client)
	@mkdir -p bin
	go build $(if $(VERSION),-ldflags "-X main.version=$(VERSION)") -o bin/causa .
	go build -o bin/ ./cmd/causa-hub ./cmd/causactl

.PHONY: run
run: ## open the app, building it first; without a display, run the demo
ifeq ($(strip $(DISPLAY)$(WAYLAND_DISPLAY)),)
	@echo "No display here (DISPLAY and WAYLAND_DISPLAY are empty): showing the demo instead."
	@$(MAKE) --no-print-directory demo
else
	@$(MAKE) --no-print-directory build
	bin/causa
endif

.PHONY: demo
demo: deps ## a company of four people talks through a hub, as a transcript
	@go run ./e2e/demo

# ---- check ----------------------------------------------------------------------

.PHONY: test
test: test-deps ## every test, under the race detector where it makes sense
	@bash scripts/test.sh "$(RACE)" "$(SCREENS)"

.PHONY: check
check: test-deps ## what CI asks beside the tests: linters, protocol, other systems, fuzzing
	@bash scripts/check.sh

.PHONY: lint
lint: ## the linters alone
	$(TOOL) golangci-lint run

.PHONY: fmt
fmt: ## format everything as the linters want it
	$(TOOL) golangci-lint fmt
	$(TOOL) buf format -w

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10s)
	@bash scripts/fuzz.sh $(FUZZTIME)

.PHONY: cross
cross: ## vet for Android, macOS and Windows, everything but main.go
	cd tools && go run ./crossvet ..

.PHONY: screenshots
screenshots: test-deps ## drive real windows and take the pictures of docs/images
	go test -count=1 -timeout 15m ./e2e/journey/... -args -screenshots=$(CURDIR)/docs/images

.PHONY: bench-mls bench-store bench-dnd bench-hub
bench-hub: deps ## measure the hub; with PEERS=1 beside ejabberd on PostgreSQL, both from Debian
	@bash scripts/bench-hub.sh $(BENCHFLAGS)

bench-mls: ## measure groups, commits and welcomes
	go test ./crypto/mls -run '^$$' -bench BenchmarkGroup -benchtime 20x -timeout 30m

bench-dnd: ## measure the judgement of quiet hours, and the end of 100,000 members' at once
	go test ./dnd -run '^$$' -bench .
	go test ./hub -run '^$$' -bench BenchmarkRelease -benchtime 1x -timeout 30m -args -members 100000

bench-store: ## measure the encrypted store against plain SQLite
	go run ./internal/benchstore

# ---- make -----------------------------------------------------------------------

.PHONY: generate
generate: ## generate wire/pb from wire/causa.proto
	$(TOOL) buf generate

.PHONY: release-proto
release-proto: ## at a release: freeze the protocol that later ones must not break
	$(TOOL) buf build -o wire/released.binpb --exclude-source-info

.PHONY: windows
windows: test-deps ## build dist/windows/*.exe with mingw-w64
	@mkdir -p dist/windows
	CGO_ENABLED=1 GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc \
		go build -ldflags '-H=windowsgui' -o dist/windows/causa.exe .
	CGO_ENABLED=1 GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc \
		go build -o dist/windows/ ./cmd/causa-hub ./cmd/causactl

.PHONY: deb
deb: deps ## make the hub's Debian package in dist/
	@mkdir -p bin
	go build -trimpath -ldflags '-s -w' -o bin/causa-hub ./cmd/causa-hub
	bash packaging/deb.sh bin/causa-hub

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist .cache
