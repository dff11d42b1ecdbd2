# make            builds bin/mount.thin, bin/umount.thin and bin/thin-snap
# make install    DESTDIR, PREFIX (/usr/local), SBINDIR (/sbin, for mount's helpers) and UNITDIR (PREFIX/lib/systemd/system)
# make test       everything; test-pure in seconds, test-oracle, test-guest, test-systems
# make torture    kills commands, lets system calls fail and the power go: minutes; TORTURE=--long hours
# make features   test-systems, and writes what it found into README.md
# make demo       the main job as a transcript, in a guest
# make check      gofmt, vet, staticcheck, govulncheck, man pages
# make fuzz       each fuzz target for FUZZTIME (10s)

PREFIX ?= /usr/local
SBINDIR ?= /sbin
UNITDIR ?= $(PREFIX)/lib/systemd/system
FUZZTIME ?= 10s
GO ?= go

programs = mount.thin umount.thin thin-snap
tags = urfave_cli_no_docs

# The go command stamps the version from git. Where it may not (-buildvcs=false) or cannot, git is asked here.
git_version := $(shell git describe --tags --always --dirty 2>/dev/null)
ifeq ($(git_version),)
stamp = -buildvcs=false
else ifneq ($(findstring -buildvcs=false,$(shell $(GO) env GOFLAGS)),)
VERSION ?= $(git_version)
endif
ldflags = -s -w $(if $(VERSION),-X main.version=$(VERSION))

.PHONY: all install uninstall test test-pure test-oracle test-guest test-systems torture features demo check fuzz clean $(programs:%=bin/%)

all: $(programs:%=bin/%)

# The go command knows best whether there is anything to do.
$(programs:%=bin/%): bin/%:
	CGO_ENABLED=0 $(GO) build -trimpath $(stamp) -tags $(tags) -ldflags '$(ldflags)' -o $@ ./cmd/$*

install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 755 bin/mount.thin bin/umount.thin $(DESTDIR)$(SBINDIR)
	install -m 755 bin/thin-snap $(DESTDIR)$(PREFIX)/sbin
	for page in $(wildcard man/*.8); do install -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man8 || exit 1; done
	install -d $(DESTDIR)$(UNITDIR)/sysinit.target.wants
	sed 's|@sbin@|$(PREFIX)/sbin|' contrib/systemd/thin-pools.service >$(DESTDIR)$(UNITDIR)/thin-pools.service
	ln -sf ../thin-pools.service $(DESTDIR)$(UNITDIR)/sysinit.target.wants/thin-pools.service

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/mount.thin $(DESTDIR)$(SBINDIR)/umount.thin $(DESTDIR)$(PREFIX)/sbin/thin-snap
	rm -f $(DESTDIR)$(UNITDIR)/thin-pools.service $(DESTDIR)$(UNITDIR)/sysinit.target.wants/thin-pools.service
	for page in $(notdir $(wildcard man/*.8)); do rm -f $(DESTDIR)$(PREFIX)/share/man/man8/$$page; done

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

demo: all
	test/demo/run

check:
	test/check

fuzz:
	test/fuzz $(FUZZTIME)

clean:
	rm -rf bin
