// Package findings prints what pool check has found.
package findings

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

// Checked is what was found in a pool, or in what belongs to none: then Name is
// "".
type Checked struct {
	Name     string
	Findings []thin.Finding
}

// Tell prints a finding in two lines: what is wrong, and what can be done.
func Tell(w io.Writer, f thin.Finding) {
	fmt.Fprintln(w, plain.OneLine(fmt.Sprintf("%s: %s (%s)", f.Object, f.What, f.Kind)))
	if f.Repair != nil {
		fmt.Fprintln(w, "  repair: "+plain.OneLine(f.Repair.String()))
	}
	switch hint := helper.Words(f.Remedy); {
	case hint != "" && f.Repair != nil:
		fmt.Fprintln(w, "  or by hand: "+plain.OneLine(hint))
	case hint != "":
		fmt.Fprintln(w, "  by hand: "+plain.OneLine(hint))
	}
}

// repairWords returns a repair in words, or "".
func repairWords(r thin.Repair) string {
	if r == nil {
		return ""
	}
	return r.String()
}

// Unsound returns an error if findings are left that are not repaired.
func Unsound(all []Checked) error {
	left, can, pool := 0, 0, ""
	for _, p := range all {
		for _, f := range p.Findings {
			if f.Done {
				continue
			}
			left++
			if f.Repair != nil {
				can, pool = can+1, p.Name
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

// WriteJSON prints the findings as JSON.
func WriteJSON(w io.Writer, all []Checked) error {
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
		pools[i] = pool{table.OrNull(p.Name), []finding{}}
		for _, f := range p.Findings {
			pools[i].Findings = append(pools[i].Findings, finding{
				f.Kind, f.Object, f.What, table.OrNull(repairWords(f.Repair)),
				table.OrNull(helper.Words(f.Remedy)), f.Done,
			})
		}
	}
	return table.WriteJSON(w, "thin-snap pool check", "pools", pools)
}
