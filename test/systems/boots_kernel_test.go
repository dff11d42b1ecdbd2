//go:build kernel

package systems

import "testing"

// TestBoot1Ways shows what works with systemd and udevd.
func TestBoot1Ways(t *testing.T) {
	ways(t, "mount", "unmount", "fstab", "tools", "udev", "systemd")
}

// TestBoot1Setup, the last of the first boot, makes what the second is to find.
func TestBoot1Setup(t *testing.T) {
	text, err := testdata.ReadFile("testdata/boot1.sh")
	if err != nil {
		t.Fatal(err)
	}
	script(t, string(text))
}

// TestBoot2 looks for it. A shutdown that went wrong is seen by test/guest/run.
func TestBoot2(t *testing.T) {
	for _, area := range []string{"boot", "shutdown"} {
		t.Run(area, func(t *testing.T) {
			for _, f := range features(t, area) {
				t.Run(f.title, func(t *testing.T) { script(t, f.script) })
			}
		})
	}
}
