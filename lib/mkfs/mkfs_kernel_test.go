//go:build kernel

package mkfs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each filesystem is made with its label, as blkid sees it; a device that
// cannot take it gives the program's own words.
func TestKernelMake(t *testing.T) {
	for _, fs := range known() {
		t.Run(fs, func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "image")
			if err := os.WriteFile(image, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(image, 512<<20); err != nil {
				t.Fatal(err)
			}
			if err := Make(context.Background(), fs, image, Options{Label: "LBL"}); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("blkid", "-p", "-o", "export", image).Output()
			if err != nil || !strings.Contains(string(out), "TYPE="+fs+"\n") ||
				!strings.Contains(string(out), "LABEL=LBL\n") {
				t.Errorf("blkid says %v: %s", err, out)
			}
			if err := Make(context.Background(), fs, image,
				Options{Label: strings.Repeat("x", 600)}); err == nil {
				t.Error("a label that is too long was taken")
			}
			if err := os.Truncate(image, 4096); err != nil {
				t.Fatal(err)
			}
			if err := Make(context.Background(), fs, image, Options{}); err == nil {
				t.Error("4096 bytes were taken")
			}
		})
	}
}
