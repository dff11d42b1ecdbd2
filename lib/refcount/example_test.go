package refcount_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"thinmount/lib/refcount"
	"thinmount/lib/spec"
)

// A helper that mounts a volume a second time counts a reference. What the
// kernel says of the volume is passed in; here it is made up.
func ExampleStore_Lock() {
	dir, err := os.MkdirTemp("", "refcount")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store := refcount.Store{Dir: filepath.Join(dir, "run")}
	_, err = store.Read(spec.Volume{Pool: "demo", Name: "base"})
	fmt.Println("before:", errors.Is(err, fs.ErrNotExist))

	ref, err := store.Lock(context.Background(), spec.Volume{Pool: "demo", Name: "base"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ref.Close()
	mounted := refcount.Observed{
		Active: true, OpenCount: 1, Dev: "253:5", PoolUUID: "1234", ThinID: 7,
		Mounts: []refcount.MountPoint{{ID: 40, Path: "/mnt", Root: "/"}},
	}
	record, err := ref.Reconcile(mounted) // somebody has mounted it without a record
	fmt.Println("mounted on", record.MountedOn, "references:", record.References, err)
	fmt.Println("second mount:", ref.Add())
	fmt.Println("references:", ref.Record().References)
	fmt.Println("first unmount:", ref.Drop())
	fmt.Println("last one:", ref.Drop()) // goes with the unmount itself, by Clear

	record, err = ref.Reconcile(refcount.Observed{PoolUUID: "1234", ThinID: 7})
	fmt.Println("device gone, references:", record.References, err)
	// Output:
	// before: true
	// mounted on /mnt references: 1 <nil>
	// second mount: <nil>
	// references: 2
	// first unmount: <nil>
	// last one: volume demo/base: only one reference is left
	// device gone, references: 0 <nil>
}

// A record that cannot be read is no reason to fail: it is taken as empty, and
// what the kernel says counts.
func ExampleRef_Damage() {
	dir, err := os.MkdirTemp("", "refcount")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store := refcount.Store{Dir: dir}
	if err := os.Mkdir(filepath.Join(dir, "refs"), 0o700); err != nil {
		fmt.Println(err)
		return
	}
	broken := filepath.Join(dir, "refs", "demo@base.json")
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		fmt.Println(err)
		return
	}
	ref, err := store.Lock(context.Background(), spec.Volume{Pool: "demo", Name: "base"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ref.Close()
	var corrupt *refcount.CorruptError
	fmt.Println("damaged:", errors.As(ref.Damage(), &corrupt), "references:",
		ref.Record().References)
	// Output:
	// damaged: true references: 0
}
