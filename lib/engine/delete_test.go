package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/thinpool"
)

// A delete that discards nothing writes its intent once, with the transaction
// id, and then sends its messages. Wherever it dies, the next command finishes
// it.
func TestStraightDelete(t *testing.T) {
	for _, dies := range []string{
		"", "before the transaction id", "before the message", "at last",
	} {
		t.Run(dies, func(t *testing.T) {
			p, k, warnings := testPool(t, catalog.KindDevice)
			v := withVolume(t, p, k, "x", 1)
			op, err := p.BeginDelete(v, true)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Catalog.Volume("x"); !errors.Is(err, catalog.ErrNoVolume) {
				t.Errorf("the volume is shown: %v", err)
			}
			switch dies {
			case "":
				err = p.FinishDelete(t.Context(), op)
			case "before the message":
				err = p.Target.SetTransactionID(0, 1)
			case "at last":
				err = errors.Join(p.Target.SetTransactionID(0, 1), p.Target.Delete(1))
			}
			if err != nil {
				t.Fatal(err)
			}
			if dies != "" {
				if err := p.Catalog.Reload(); err != nil {
					t.Fatal(err)
				}
				_, err := p.replayIntent(t.Context())
				_, e := p.finishDeadCommands(t.Context(), true)
				if err := errors.Join(err, e); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := p.Catalog.VolumeAnyState("x"); !errors.Is(err, catalog.ErrNoVolume) {
				t.Errorf("the record is there: %v", err)
			}
			cfg := p.Catalog.Pool()
			if k.IDs[1] || len(cfg.Intents) > 0 || cfg.TransactionID != k.Transaction ||
				len(*warnings) > 0 {
				t.Errorf("ids %v, intents %v, at %d of %d, %q", k.IDs, cfg.Intents,
					cfg.TransactionID, k.Transaction, *warnings)
			}
		})
	}
}

// If another program has changed the pool, a delete sends nothing.
func TestStraightDeleteOfAChangedPool(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindDevice)
	v := withVolume(t, p, k, "x", 1)
	op, err := p.BeginDelete(v, true)
	if err != nil {
		t.Fatal(err)
	}
	k.Transaction = 5
	if err := p.FinishDelete(t.Context(), op); !errors.Is(err, thinpool.ErrTransaction) ||
		!errors.Is(err, fault.ErrPoolState) || k.Told() != "" {
		t.Errorf("%v; told: %s", err, k.Told())
	}
}

// While another delete is at work, or the metadata cannot be read, a volume is
// taken as one that has blocks of its own.
func TestGivesBackInDoubt(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindFile)
	v := withVolume(t, p, k, "x", 1)
	if !p.GivesBack(v) {
		t.Error("without metadata")
	}
	withVolume(t, p, k, "y", 2, catalog.Intent{Op: catalog.OpDelete, Volume: "y", ID: 2})
	if !p.GivesBack(v) {
		t.Error("beside another delete")
	}
}

// Commands tidy once a minute. The fake kernel lists no devices, so tidying
// fails.
func TestTidyIsDue(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindDevice)
	tidies := func(what string, want bool) {
		t.Helper()
		if err := p.Recover(t.Context()); (err != nil) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	tidies("a new lock file", false)
	for what, at := range map[string]time.Duration{
		"an old mark": -2 * time.Minute, "a mark in the future": time.Minute,
	} {
		then := time.Now().Add(at)
		path := filepath.Join(p.Sys.RunDir, "locks", "demo@")
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		tidies(what, true)
	}
	if err := p.Lock.Mark(); err != nil {
		t.Fatal(err)
	}
	tidies("a mark", false)
	withVolume(t, p, k, "y", 2, catalog.Intent{Op: catalog.OpDelete, Volume: "y", ID: 2})
	tidies("a dead command", true)
	tidies("no dead command", false)
	// The command of a run is mostly alive: its lock is looked at once a
	// minute.
	withVolume(t, p, k, "z", 3, catalog.Intent{Op: catalog.OpRun, Volume: "z", ID: 3})
	tidies("a run", false)
	if _, ok := p.Catalog.Run("z"); !ok {
		t.Error("the volume of a run was deleted although nobody has looked at its lock")
	}
	alive, err := p.Sys.Refs().TryLock(p.Volume("z"))
	if err != nil {
		t.Fatal(err)
	}
	p.thorough = true
	tidies("a run that is alive", true)
	if _, ok := p.Catalog.Run("z"); !ok {
		t.Error("the volume of a run was deleted while its lock was held")
	}
	alive.Close()
	tidies("a dead run", true)
	if _, ok := p.Catalog.Run("z"); ok || k.IDs[3] {
		t.Error("the volume of a dead run is still there")
	}
	p.thorough = false
	p.thorough = true
	tidies("activated", true)
}
