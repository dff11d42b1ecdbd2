package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"thinmount/lib/thin"
)

// Run runs nothing: of the program "status N" it returns the status N, the
// program "none" does not exist, with the key "there" there is a snapshot, and
// the program "slow" runs until a signal comes.
func (f *fakeSystem) Run(ctx context.Context, r thin.RunRequest) (thin.RunResult, error) {
	res := thin.RunResult{Volume: r.Volume}
	from := r.Volume
	if r.Origin != nil {
		from = *r.Origin
	}
	if _, err := f.Volume(ctx, from); err != nil {
		return res, err
	}
	if r.Volume.Name == "" {
		res.Volume.Name = r.Origin.Name + "-1"
	}
	origin := r.Origin
	r.Origin = nil
	if err := f.save("Run %+v origin=%v", r, origin); err != nil {
		return res, err
	}
	if r.Key == "there" {
		return res, nil
	}
	switch r.Args[0] {
	case "none":
		res.Status = 127
		return res, &thin.Error{Err: fmt.Errorf("none: no such file")}
	case "lost":
		res.Ran = true
		return res, &thin.Error{Object: from.String(), Err: thin.ErrPoolState}
	case "slow":
		if err := os.WriteFile(os.Getenv("FAKE_SLOW"), nil, 0o600); err != nil {
			return res, err
		}
		<-ctx.Done()
		res.Status = 3
	case "status":
		res.Status, _ = strconv.Atoi(r.Args[1])
	}
	res.Ran = true
	res.Kept = origin != nil && !r.Ephemeral && (res.Status == 0 || r.KeepFailed)
	return res, nil
}
