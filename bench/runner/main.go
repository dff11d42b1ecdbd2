// Runner measures what thinmount's commands take, beside those that a user
// would otherwise type, and beside floors that do the least that the kernel
// needs. It prints a line of CSV (bench/sample) for each measurement. bench/run
// starts it.
//
//	runner [-quick] [-only WORK,…] -disk NAME=DEVICE …
//
// Each command is started without a shell between, by fork and exec, and waited
// for; the candidates take turns within one run. A candidate whose disk is not
// given is left out.
//
//	main.go      options, and the works one after another
//	spawn.go     runs commands, and prints what they took
//	ways.go      the candidates: who does the work by which command
//	setup.go     pools and filesystems for them
//	one.go       one command at a time
//	dirty.go     a snapshot while a process writes and syncs
//	together.go  many at the same time: mounts, and jobs
//	grown.go     pools with many volumes, many mounts, huge volumes
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"thinmount/bench/sample"
)

// bench is a run.
type bench struct {
	disks   map[string]string
	dir     string // mount points and small files
	out     io.Writer
	mark    string // is printed before each line of CSV
	rounds  int
	folders int // in the tree that is copied
	crowd   int
	jobs    []int
	many    []int // volumes in a pool
	mounts  int
	lines   int
	leave   bool // what was made stays
	failed  bool
	broken  map[string]bool // candidates that are left out since they failed
	undo    []func()
}

// work is a part of a run.
type work struct {
	name string
	do   func(*bench)
}

var works = []work{
	{"start", (*bench).start},
	{"one", (*bench).one},
	{"again", (*bench).again},
	{"dirty", (*bench).dirty},
	{"huge", (*bench).huge},
	{"memory", (*bench).memory},
	{"crowd", (*bench).together},
	{"lines", (*bench).manyLines},
	{"jobs", (*bench).allJobs},
	{"many", (*bench).grown},
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "writer" {
		writer(os.Args[2])
		return
	}
	b := &bench{disks: map[string]string{}, broken: map[string]bool{}, out: os.Stdout, folders: 40}
	quick := flag.Bool("quick", false, "few rounds and small numbers")
	only := flag.String("only", "", "works, with commas; all if empty")
	flag.StringVar(&b.dir, "dir", "/run/bench", "folder for mount points and small files")
	flag.StringVar(&b.mark, "mark", "", "what precedes each line of CSV")
	flag.IntVar(&b.rounds, "rounds", 25, "how often each command runs")
	jobs := flag.String("jobs", "1,5,20,100", "how many jobs run side by side")
	many := flag.String("many", "10,10000", "numbers of volumes in a pool")
	flag.IntVar(&b.mounts, "mounts", 1000, "how many volumes are mounted at once")
	flag.IntVar(&b.lines, "lines", 20000, "lines of the mount table by others")
	flag.BoolVar(&b.leave, "leave", false, "clean nothing up in the end: the machine goes away")
	flag.IntVar(&b.crowd, "crowd", 64, "mounts side by side")
	flag.Func("disk", "NAME=DEVICE: a disk of a candidate", func(s string) error {
		name, device, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%q: want NAME=DEVICE", s)
		}
		b.disks[name] = device
		return nil
	})
	flag.Parse()
	b.jobs, b.many = numbers(*jobs), numbers(*many)
	if *quick {
		b.rounds, b.crowd, b.jobs, b.many, b.mounts, b.lines = 3, 8, []int{1, 4}, []int{10, 300},
			20, 1000
	}
	os.Exit(b.run(strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })))
}

func numbers(s string) (all []int) {
	for f := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(f)
		if err != nil {
			fmt.Fprintf(os.Stderr, "runner: %v\n", err)
			os.Exit(2)
		}
		all = append(all, n)
	}
	return all
}

// run does the works, and returns the exit status. One that fails does not keep
// the others from being done.
func (b *bench) run(only []string) int {
	defer func() {
		if b.leave {
			return
		}
		for _, f := range slices.Backward(b.undo) {
			b.attempt("clean up", func(*bench) { f() })
		}
	}()
	fmt.Fprintln(b.out, b.mark+sample.Heading())
	if !b.attempt("set up", (*bench).setup) {
		return 1
	}
	for _, w := range works {
		if len(only) > 0 && !slices.Contains(only, w.name) {
			continue
		}
		start := time.Now()
		b.attempt(w.name, w.do)
		fmt.Fprintf(os.Stderr, "bench: %s: %.0f s\n", w.name, time.Since(start).Seconds())
	}
	if b.failed {
		return 1
	}
	return 0
}

// failure is what a work panics with.
type failure struct{ error }

// attempt does a part of the run, and says why it could not.
func (b *bench) attempt(name string, do func(*bench)) (ok bool) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case failure:
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", name, f.error)
			b.failed, ok = true, false
		default:
			panic(f)
		}
	}()
	do(b)
	return true
}

// candidate does the part of a work that is one candidate's. After a failure it
// is left out of the rest of the run, and the others go on.
func (b *bench) candidate(name string, do func()) {
	if !b.broken[name] {
		b.broken[name] = !b.attempt(name, func(*bench) { do() })
	}
}

// check ends the work if there is an error.
func check(err error) {
	if err != nil {
		panic(failure{err})
	}
}
