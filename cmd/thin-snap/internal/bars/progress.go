package bars

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// patience is how long work may take before its progress is shown.
const patience = time.Second

// Progress draws one bar for each piece of work that takes longer than
// patience. It is safe for concurrent use.
type Progress struct {
	w     io.Writer
	now   func() time.Time
	mu    sync.Mutex
	start map[string]time.Time
	bars  map[string]*mpb.Bar
	all   *mpb.Progress
}

// New returns a Progress that draws on w, a terminal.
func New(w io.Writer, now func() time.Time) *Progress {
	return &Progress{w: w, now: now, start: map[string]time.Time{}, bars: map[string]*mpb.Bar{}}
}

// Report notes that done of total bytes of the work what are done.
func (p *Progress) Report(what string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	started, seen := p.start[what]
	if !seen {
		p.start[what] = p.now()
		return
	}
	if p.now().Sub(started) < patience {
		return
	}
	bar := p.bar(what)
	bar.SetTotal(total, false)
	bar.SetCurrent(done)
}

func (p *Progress) bar(what string) *mpb.Bar {
	if b := p.bars[what]; b != nil {
		return b
	}
	if p.all == nil {
		p.all = mpb.New(mpb.WithOutput(p.w), mpb.WithWidth(40), mpb.WithAutoRefresh())
	}
	p.bars[what] = p.all.AddBar(0,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(what+" ")),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
	return p.bars[what]
}

// Write prints a line above the bars.
func (p *Progress) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		return p.w.Write(line)
	}
	return p.all.Write(line)
}

// Close removes the bars, so that the next message begins on a line of its own.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		return
	}
	for _, b := range p.bars {
		b.Abort(true)
	}
	p.all.Wait()
}
