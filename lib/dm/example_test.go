package dm_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// A table is a list of targets. String and ParseTarget have it as dmsetup(8)
// does.
func ExampleTarget() {
	table := []dm.Target{
		{Start: 0, Length: 2048, Type: "linear", Params: "8:16 0"},
		{Start: 2048, Length: 8, Type: "zero"},
	}
	for _, target := range table {
		fmt.Println(target)
	}
	_, err := dm.ParseTarget("0 2048")
	fmt.Println(err)
	// Output:
	// 0 2048 linear 8:16 0
	// 2048 8 zero
	// table line "0 2048": want START LENGTH TYPE PARAMS
}

// A program is tested without root by a function in the place of the kernel. It
// gets each ioctl and its buffer, which begins with struct dm_ioctl.
func ExampleNewControl() {
	c := dm.NewControl(func(cmd uint, buf []byte) error {
		switch cmd {
		case unix.DM_DEV_STATUS:
			binary.NativeEndian.PutUint32(buf[24:], 2) // open_count
			return nil
		case unix.DM_DEV_REMOVE:
			return unix.EBUSY
		}
		return unix.ENXIO
	})
	info, err := c.Info(dm.ByName("scratch"))
	fmt.Println("opened", info.OpenCount, "times,", err)
	_, err = c.Remove(dm.ByName("scratch"), false, 0)
	fmt.Println(err)
	fmt.Println(errors.Is(err, dm.ErrBusy), errors.Is(err, unix.EBUSY), errors.Is(err, dm.ErrExist))
	// Output:
	// opened 2 times, <nil>
	// device scratch: remove: device or resource busy
	// true true false
}

// Activate makes a device with its node. It needs root and device-mapper.
func ExampleControl_Activate() {
	c, err := dm.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	table := []dm.Target{{Length: 2048, Type: "zero"}}
	info, err := c.Activate(ctx, "scratch", "EXAMPLE-scratch", table,
		dm.ActivateOptions{ReadOnly: true})
	switch {
	case errors.Is(err, fs.ErrExist):
		fmt.Println("there is a device of that name or uuid")
		return
	case err != nil:
		fmt.Println(err)
		return
	}
	fmt.Println(c.NodePath(info.Name), info.Dev)
	if err := c.Deactivate(ctx, dm.ByUUID("EXAMPLE-scratch")); err != nil {
		fmt.Println(err)
	}
}

// Create, Load and Resume are the three commands behind Activate, for programs
// that see to nodes themselves. With a cookie without a semaphore, the program
// does not wait for udev.
func ExampleControl_Create() {
	names := map[uint]string{
		unix.DM_DEV_CREATE: "create", unix.DM_TABLE_LOAD: "load", unix.DM_DEV_SUSPEND: "resume",
	}
	c := dm.NewControl(func(cmd uint, _ []byte) error {
		fmt.Println(names[cmd])
		return nil
	})
	r := dm.ByName("scratch")
	_, err := c.Create("scratch", "EXAMPLE-scratch")
	if err == nil {
		err = c.Load(r, []dm.Target{{Length: 2048, Type: "zero"}}, true)
	}
	if err == nil {
		_, err = c.Resume(r, dm.PrimarySource)
	}
	fmt.Println(err)
	// Output:
	// create
	// load
	// resume
	// <nil>
}
