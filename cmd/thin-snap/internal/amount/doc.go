// Package amount reads sizes, percentages and times as people type them after
// an option of thin-snap, and writes sizes for people. What it cannot read is a
// *usage.Error.
package amount
