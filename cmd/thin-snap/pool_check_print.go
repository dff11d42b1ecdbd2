package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"thinmount/cmd/thin-snap/internal/table"
	"thinmount/lib/helper"
	"thinmount/lib/plain"
	"thinmount/lib/thin"
)

// tell prints a finding in two lines: what is wrong, and what can be done.
func (c *call) tell(f thin.Finding) {
	if c.Bool("json") {
		return
	}
	fmt.Fprintln(c.out, plain.OneLine(fmt.Sprintf("%s: %s (%s)", f.Object, f.What, f.Kind)))
	if f.Repair != nil {
		fmt.Fprintln(c.out, "  repair: "+plain.OneLine(f.Repair.String()))
	}
	switch hint := helper.Words(f.Remedy); {
	case hint != "" && f.Repair != nil:
		fmt.Fprintln(c.out, "  or by hand: "+plain.OneLine(hint))
	case hint != "":
		fmt.Fprintln(c.out, "  by hand: "+plain.OneLine(hint))
	}
}

// repairWords returns a repair in words, or "".
func repairWords(r thin.Repair) string {
	if r == nil {
		return ""
	}
	return r.String()
}

// unsound returns an error if findings are left that are not repaired.
func unsound(all []checked) error {
	left, can, pool := 0, 0, ""
	for _, p := range all {
		for _, f := range p.findings {
			if f.Done {
				continue
			}
			left++
			if f.Repair != nil {
				can, pool = can+1, p.name
			}
		}
	}
	if left == 0 {
		return nil
	}
	e := &thin.Error{Err: errors.New(thin.Count(left, "finding"))}
	if can > 0 {
		e.Remedy = thin.Sayf("%d can be repaired: thin-snap pool check --repair %s",
			can, cmp.Or(pool, "--all"))
	}
	return e
}

// writeChecked prints the findings as JSON.
func writeChecked(w io.Writer, all []checked) error {
	type finding struct {
		Kind   string  `json:"kind"`
		Object string  `json:"object"`
		What   string  `json:"what"`
		Repair *string `json:"repair"`
		Hint   *string `json:"hint"`
		Done   bool    `json:"done"`
	}
	type pool struct {
		Name     *string   `json:"name"` // null: the findings belong to no pool
		Findings []finding `json:"findings"`
	}
	pools := make([]pool, len(all))
	for i, p := range all {
		pools[i] = pool{table.OrNull(p.name), []finding{}}
		for _, f := range p.findings {
			pools[i].Findings = append(pools[i].Findings, finding{
				f.Kind, f.Object, f.What, table.OrNull(repairWords(f.Repair)),
				table.OrNull(helper.Words(f.Remedy)), f.Done,
			})
		}
	}
	return table.WriteJSON(w, "thin-snap pool check", "pools", pools)
}
