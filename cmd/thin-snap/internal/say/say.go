// Package say prints the messages of thin-snap, and asks its questions.
//
// Data goes to standard output, and everything else to standard error after
// "thin-snap: ". Messages are in lower case, have the object before the reason,
// and no period. A hint says what to type. thin-snap prints nothing on success.
package say

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"thinmount/cmd/thin-snap/internal/table"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/helper"
	"thinmount/lib/plain"
	"thinmount/lib/thin"
)

// Report prints err with its hint. It prints a list of errors one by one.
func Report(w io.Writer, err error) {
	if err == nil {
		return
	}
	if all := listed(err); all != nil {
		for _, e := range all {
			Report(w, e)
		}
		return
	}
	fmt.Fprintf(w, "thin-snap: %s\n", plain.OneLine(thin.Text(err)))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(w, "thin-snap: hint: %s\n", plain.OneLine(hint))
	}
}

// listed returns the errors in a list that errors.Join has made, or nil. Other
// errors that wrap several are not lists: they are one error of several kinds.
func listed(err error) []error {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(list.Unwrap()...).Error() {
		return nil
	}
	return list.Unwrap()
}

// ReportJSON prints {"error":{"code":5,"message":"...","hint":"..."}}. Without
// a hint, hint is null.
func ReportJSON(w io.Writer, code int, err error) {
	type body struct {
		Code    int     `json:"code"`
		Message string  `json:"message"`
		Hint    *string `json:"hint"`
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	// There is no place to report that standard error cannot be written.
	_ = e.Encode(map[string]body{"error": {code, thin.Text(err), table.OrNull(allHints(err))}})
}

// allHints returns the hints of err, each once and on its own line.
func allHints(err error) string {
	all := listed(err)
	if all == nil {
		return hintOf(err)
	}
	var hints []string
	for _, e := range all {
		if h := allHints(e); h != "" && !slices.Contains(hints, h) {
			hints = append(hints, h)
		}
	}
	return strings.Join(hints, "\n")
}

func hintOf(err error) string {
	var wrong *usage.Error
	var noHint interface{ NoHint() }
	switch {
	case errors.As(err, &wrong):
		return wrong.Hint
	case errors.As(err, &noHint):
		return ""
	}
	return helper.Advice(err)
}

// Warn prints a warning.
func Warn(w io.Writer, message string) {
	fmt.Fprintf(w, "thin-snap: warning: %s\n", plain.OneLine(message))
}

// Ask asks a question on the terminal. Only y and yes are a yes.
func Ask(in io.Reader, w io.Writer, question string) bool {
	fmt.Fprintf(w, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		fmt.Fprintln(w) // no answer has ended the line
		return false
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}
