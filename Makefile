# make            builds bin/mount.thin, bin/umount.thin and bin/thin-snap; needs the Go of go.mod
# make install    what is in bin/, without Go: DESTDIR, PREFIX (/usr/local), SBINDIR (/sbin, for mount's helpers),
#                 UNITDIR (PREFIX/lib/systemd/system), BASHDIR, ZSHDIR and FISHDIR (completions), DOCDIR (PREFIX/share/doc/thinmount)
# make uninstall  removes what install put there, with the same variables; pools and volumes stay
# make test       everything; test-pure in seconds, test-oracle, test-guest, test-systems
# make torture    kills commands, lets system calls fail and the power go: minutes; TORTURE=--long hours
# make features   test-systems, and writes what it found into docs/compatibility.md
# make notice     writes NOTICE: the modules that the programs link, and their licences
# make demo       the main job as a transcript, in a guest
# make bench      how fast it is, beside others, in a guest; HERE=1 on this machine; BENCH='--only one': see bench/run
# make check      gofmt, vet, staticcheck, govulncheck, man pages
# make fuzz       each fuzz target for FUZZTIME (10s)
# make release    .deb and .rpm for amd64 and arm64, and their checksums, in dist/
# make clean      removes bin/ and dist/

PREFIX ?= /usr/local
SBINDIR ?= /sbin
UNITDIR ?= $(PREFIX)/lib/systemd/system
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
DOCDIR ?= $(PREFIX)/share/doc/thinmount
FUZZTIME ?= 10s
GO ?= go
BIN ?= bin

programs = mount.thin umount.thin thin-snap
tags = urfave_cli_no_docs

# The go command stamps the version from git. Where it may not (-buildvcs=false) or cannot (a linked work tree, whose
# .git is a file), git is asked here.
# Only a build asks: root who installs may have no Go, and git may refuse a clone that is not root's.
git_version = $(shell git describe --tags --always --dirty 2>/dev/null)
unstamped = $(or $(findstring -buildvcs=false,$(shell $(GO) env GOFLAGS)),$(if $(wildcard .git/HEAD),,yes))
version = $(or $(VERSION),$(if $(unstamped),$(git_version)))
stamp = $(if $(git_version),,-buildvcs=false)
ldflags = -s -w $(if $(version),-X main.version=$(version))

.PHONY: all go built install uninstall test test-pure test-oracle test-guest test-systems torture features notice demo bench check fuzz release clean $(programs:%=$(BIN)/%)

all: $(programs:%=$(BIN)/%)

# The go command knows best whether there is anything to do.
$(programs:%=$(BIN)/%): $(BIN)/%: go
	CGO_ENABLED=0 $(GO) build -trimpath $(stamp) -tags $(tags) -ldflags '$(ldflags)' -o $@ ./cmd/$*

# It can read go.mod, or its own words are followed by what to do.
go:
	@$(GO) list -m >/dev/null || { echo "make: Go $$(sed -n 's/^go //p' go.mod) or newer is needed: https://go.dev/dl" >&2; exit 1; }

built:
	@for p in $(programs); do [ -x $(BIN)/$$p ] || { echo "make: $(BIN)/$$p is missing: run make first, as a user who has Go" >&2; exit 1; }; done
	@[ -z "$$(find cmd lib go.mod -newer $(BIN)/thin-snap 2>/dev/null | head -n 1)" ] || \
		echo "make: warning: the source is newer than $(BIN)/: run make to build it" >&2

manual = $(notdir $(wildcard man/*.8))
documents = README.md CHANGELOG.md SECURITY.md NOTICE $(wildcard docs/*.md)
examples = $(notdir $(wildcard examples/*))

install: built
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR) $(DESTDIR)$(DOCDIR)/examples
	install -m 755 $(BIN)/mount.thin $(BIN)/umount.thin $(DESTDIR)$(SBINDIR)
	install -m 755 $(BIN)/thin-snap $(DESTDIR)$(PREFIX)/sbin
	install -m 644 $(manual:%=man/%) $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 contrib/completion/thin-snap.bash $(DESTDIR)$(BASHDIR)/thin-snap
	install -m 644 contrib/completion/_thin-snap $(DESTDIR)$(ZSHDIR)
	install -m 644 contrib/completion/thin-snap.fish $(DESTDIR)$(FISHDIR)
	install -m 644 $(documents) $(DESTDIR)$(DOCDIR)
	install -m 755 $(examples:%=examples/%) $(DESTDIR)$(DOCDIR)/examples
	sed 's|@sbin@|$(PREFIX)/sbin|' contrib/systemd/thin-pools.service >$(DESTDIR)$(UNITDIR)/thin-pools.service
	chmod 644 $(DESTDIR)$(UNITDIR)/thin-pools.service
	rm -f $(DESTDIR)$(old_link)
	@[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || systemctl -q is-enabled thin-pools 2>/dev/null || \
		echo "make: for a clean shutdown: systemctl daemon-reload && systemctl enable --now thin-pools"

# Versions before enabled the unit by a link that `systemctl disable` does not know.
old_link = $(UNITDIR)/sysinit.target.wants/thin-pools.service

uninstall:
	@[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || ! systemctl -q is-enabled thin-pools 2>/dev/null || \
		{ echo "make: thin-pools.service is enabled: systemctl disable thin-pools, then again" >&2; exit 1; }
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,mount.thin umount.thin) $(DESTDIR)$(PREFIX)/sbin/thin-snap
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/man/man8/,$(manual))
	rm -f $(DESTDIR)$(BASHDIR)/thin-snap $(DESTDIR)$(ZSHDIR)/_thin-snap $(DESTDIR)$(FISHDIR)/thin-snap.fish
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/,$(notdir $(documents)) $(examples:%=examples/%))
	rm -f $(DESTDIR)$(UNITDIR)/thin-pools.service $(DESTDIR)$(old_link)
	for d in $(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(DOCDIR); do \
		[ ! -d $$d ] || rmdir --ignore-fail-on-non-empty $$d; done

test:
	test/all

test-pure:
	test/pure

test-oracle:
	test/oracle

test-guest:
	test/all guest

test-systems:
	test/systems/run

torture:
	test/torture/run $(TORTURE)

features:
	test/systems/run --write

notice:
	$(GO) run ./test/notice

demo: all
	test/demo/run

bench:
	bench/run $(if $(HERE),--here) $(BENCH)

release:
	contrib/package/build

check:
	test/check

fuzz:
	test/fuzz $(FUZZTIME)

clean:
	rm -rf bin dist
