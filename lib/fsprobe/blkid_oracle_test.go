//go:build oracle

package fsprobe

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sample is an image and how to make it: a shell command in whose $1 is the
// file, $2 a folder to work in.
type sample struct{ name, size, command string }

func samples() []sample {
	return []sample{
		{"ext2", "16M", `mkfs.ext2 -q -L 'two words' "$1"`},
		{"ext3", "16M", `mkfs.ext3 -q -L ext3 "$1"`},
		{"ext4", "32M", `mkfs.ext4 -q -L ext4label "$1"`},
		{"ext4 of 1k blocks", "16M", `mkfs.ext4 -q -b 1024 "$1"`},
		{"ext4 without journal", "16M", `mkfs.ext4 -q -O ^has_journal "$1"`},
		{"ext4 without checksums", "16M", `mkfs.ext4 -q -O ^metadata_csum,^64bit "$1"`},
		{"ext4 of bigalloc", "64M", `mkfs.ext4 -q -O bigalloc "$1"`},
		{"journal of an ext4", "16M", `mkfs.ext4 -q -O journal_dev "$1"`},
		{"xfs", "320M", `mkfs.xfs -q -L xfslabel "$1"`},
		{"xfs version 4", "320M", `mkfs.xfs -q -m crc=0 "$1"`},
		{"xfs of 4k sectors", "320M", `mkfs.xfs -q -s size=4096 "$1"`},
		{"btrfs", "128M", `mkfs.btrfs -q -L 'b label' "$1"`},
		{"btrfs of xxhash", "128M", `mkfs.btrfs -q --csum xxhash "$1"`},
		{"btrfs of sha256", "128M", `mkfs.btrfs -q --csum sha256 "$1"`},
		{"f2fs", "64M", `mkfs.f2fs -q -l f2label "$1"`},
		{"FAT12", "2M", `mkfs.vfat -F 12 -n TWELVE "$1"`},
		{"FAT16", "32M", `mkfs.vfat -F 16 -n 'A B' "$1"`},
		{"FAT32", "64M", `mkfs.vfat -F 32 -n THIRTYTWO "$1"`},
		{"FAT without label", "32M", `mkfs.vfat "$1"`},
		{"FAT of 4k sectors", "256M", `mkfs.vfat -S 4096 -n BIG "$1"`},
		{"exfat", "32M", `mkfs.exfat -L exlabel "$1"`},
		{"exfat without label", "32M", `mkfs.exfat "$1"`},
		{"ntfs", "32M", `mkfs.ntfs -q -F -f -L 'nt label' "$1"`},
		{"iso9660", "0",
			`mkdir "$2/d"; echo x > "$2/d/f"; rm "$1"; ` +
				`xorriso -as mkisofs -quiet -V ISOLABEL -o "$1" "$2/d"`},
		{"iso9660 with Joliet", "0",
			`mkdir "$2/d"; echo x > "$2/d/f"; rm "$1"; ` +
				`xorriso -as mkisofs -quiet -J -V 'Joliet label' -o "$1" "$2/d"`},
		{"squashfs", "0",
			`mkdir "$2/d"; echo x > "$2/d/f"; rm "$1"; mksquashfs "$2/d" "$1" -quiet -no-progress`},
		{"erofs", "0", `mkdir "$2/d"; echo x > "$2/d/f"; rm "$1"; mkfs.erofs "$1" "$2/d"`},
		{"LUKS 1", "16M",
			`echo pw | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 "$1" -`},
		{"LUKS 2", "32M",
			`echo pw | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 ` +
				`--pbkdf-force-iterations 1000 "$1" -`},
		{"swap", "16M", `chmod 600 "$1"; mkswap -q -L swaplabel "$1"`},
		{"swap of 8k pages", "16M", `mkswap -q -p 8192 "$1"`},
		{"partition table of DOS", "16M", `echo ',,L' | sfdisk -q "$1"`},
		{"partition table of GPT", "16M", `echo ',,L' | sfdisk -q -X gpt "$1"`},
		{"nothing", "16M", `true`},
		{"noise", "1M", `head -c 1048576 /dev/zero | tr '\0' '\125' > "$1"`},
		{"a short file", "100", `true`},
	}
}

func (s sample) make(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "image")
	cmd := exec.Command("/bin/sh", "-euc", `truncate -s `+s.size+` "$1"; `+s.command, "sh", path,
		dir)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", s.command, err, out)
	}
	return path
}

// blkid is the oracle. Exit status 2 is nothing, 8 more than one.
func blkid(t *testing.T, path string) (r Result, status int) {
	t.Helper()
	cmd := exec.Command("/sbin/blkid", "-p", "-o", "export", path)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		value = strings.ReplaceAll(value, `\`, "")
		switch key {
		case "TYPE":
			r.Type = value
		case "PTTYPE": // a boot sector may look like both
			if r.Type == "" {
				r.Type = value
			}
		case "UUID", "PTUUID":
			r.UUID = value
		case "LABEL":
			r.Label = value
		}
	}
	return r, cmd.ProcessState.ExitCode()
}

func ours(t *testing.T, path string) (Result, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, _ := f.Stat()
	return Probe(f, st.Size())
}

func TestOracleSamples(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			path := s.make(t)
			want, status := blkid(t, path)
			if *write && status == 0 {
				keep(t, s.name, path, want)
			}
			got, err := ours(t, path)
			var other *OtherError
			if errors.As(err, &other) {
				got, err = other.Result, nil
			}
			if status == 2 && errors.Is(err, ErrNone) {
				return
			}
			got.Kind = 0
			if err != nil || status != 0 || got != want {
				t.Errorf("%+v, %v; blkid says %+v, exit status %d", got, err, want, status)
			}
		})
	}
}

// blkid has the same words for the formats that are only named. Of some it
// wants more than our images have: checksums.
func TestOracleFormats(t *testing.T) {
	all := headers()
	for _, name := range append(foreignNames(), "zfs_member", "udf") {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image")
			b, at := all[name], int64(0)
			const size = 64 << 20
			if name == "drbd" { // which counts from the end
				at = size - int64(len(b))
			}
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.WriteAt(b, at)
			if err := errors.Join(err, f.Truncate(size), f.Close()); err != nil {
				t.Fatal(err)
			}
			got, err := ours(t, path)
			var other *OtherError
			if !errors.As(err, &other) || other.Result.Type != name {
				t.Errorf("%+v, %v", got, err)
			}
			sums := []string{"bcache", "bcachefs", "nilfs2", "udf", "apfs"}
			want, status := blkid(t, path)
			if none := status == 2 && slices.Contains(sums, name); !none && want.Type != name {
				t.Errorf("blkid says %+v, exit status %d", want, status)
			}
		})
	}
}

func foreignNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// What is ambiguous to blkid is to us.
func TestOracleTwoSignatures(t *testing.T) {
	for _, s := range []sample{
		{"xfs in front of a btrfs", "320M",
			`mkfs.btrfs -q "$1"; mkfs.xfs -q -f "$2/x" -d file,size=300m; ` +
				`dd if="$2/x" of="$1" bs=4096 count=1 conv=notrunc status=none`},
		{"swap and ext4", "64M",
			`mkfs.ext4 -q "$1"; mkswap -q "$2/s" 2>/dev/null || ` +
				`{ truncate -s 64M "$2/s"; mkswap -q "$2/s"; }; ` +
				`dd if="$2/s" of="$1" bs=1 skip=4086 seek=4086 count=10 conv=notrunc status=none`},
	} {
		t.Run(s.name, func(t *testing.T) {
			path := s.make(t)
			want, status := blkid(t, path)
			got, err := ours(t, path)
			var two *AmbiguousError
			if errors.As(err, &two) != (status == 8) {
				t.Errorf("%+v, %v; blkid says %+v, exit status %d", got, err, want, status)
			}
		})
	}
}

// A byte that is changed makes us say what it makes blkid say, or leaves us at
// what was there: whether a damaged filesystem can be mounted is the kernel's
// to say, while "nothing is there" would advise to make a new one.
func TestOracleFlippedBytes(t *testing.T) {
	for _, s := range samples() {
		if s.name == "nothing" || s.name == "noise" || s.name == "a short file" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			path := s.make(t)
			intact, _ := blkid(t, path)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, at := range flips() {
				var b [1]byte
				if n, _ := f.ReadAt(b[:], at); n == 0 {
					continue
				}
				f.WriteAt([]byte{b[0] ^ 0x41}, at)
				want, status := blkid(t, path)
				got, err := ours(t, path)
				var other *OtherError
				if errors.As(err, &other) {
					got = other.Result
				}
				if got.Type != want.Type && got.Type != intact.Type && status != 8 {
					t.Errorf("byte %d: %q, %v; blkid says %q, exit status %d", at, got.Type, err,
						want.Type, status)
				}
				f.WriteAt(b[:], at)
			}
		})
	}
}

// flips are the places that are changed: here and there in the regions that
// have superblocks.
func flips() []int64 {
	var at []int64
	for _, base := range []int64{0, 512, 1024, 4096, 32768, 65536} {
		for _, off := range []int64{
			0, 1, 3, 8, 11, 13, 16, 21, 40, 56, 64, 82, 96, 100, 120, 224, 300, 446, 450, 500, 510,
			511,
		} {
			at = append(at, base+off)
		}
	}
	return at
}
