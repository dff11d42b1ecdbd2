package main

// How thin-snap talks: data on standard output, all else on standard error behind "thin-snap: ", in lower case, with the object before
// the reason and no period; a hint names what to type. Success is silent.

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"thinmount/lib/helper"
	"thinmount/lib/plain"
	"thinmount/lib/thin"
)

// report prints an error, one line for each of several, each with its hint.
func report(w io.Writer, err error) {
	if err == nil {
		return
	}
	if all := listed(err); all != nil {
		for _, e := range all {
			report(w, e)
		}
		return
	}
	fmt.Fprintf(w, "thin-snap: %s\n", plain.OneLine(thin.Text(err)))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(w, "thin-snap: hint: %s\n", plain.OneLine(hint))
	}
}

// listed are the errors that err is a list of, as errors.Join makes it: its text is theirs, one below the other. Any other that wraps several
// is one error, of several kinds.
func listed(err error) []error {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(list.Unwrap()...).Error() {
		return nil
	}
	return list.Unwrap()
}

// reportJSON prints {"error":{"code":5,"message":"...","hint":"..."}}; hint is null where nobody knows what to do.
func reportJSON(w io.Writer, code int, err error) {
	type body struct {
		Code    int     `json:"code"`
		Message string  `json:"message"`
		Hint    *string `json:"hint"`
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	// What stands on a failing standard error nobody can be told.
	_ = e.Encode(map[string]body{"error": {code, thin.Text(err), pointer(allHints(err))}})
}

// allHints are the hints of err, of each once, one below the other.
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
	var usage *usageError
	var output *outputError
	switch {
	case errors.As(err, &usage):
		return usage.hint
	case errors.As(err, &output):
		return ""
	}
	return helper.Advice(err)
}

func warn(w io.Writer, message string) {
	fmt.Fprintf(w, "thin-snap: warning: %s\n", plain.OneLine(message))
}

// ask puts a question to the terminal; only y or yes is a yes.
func ask(in io.Reader, w io.Writer, question string) bool {
	fmt.Fprintf(w, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		fmt.Fprintln(w) // nobody has ended the line
		return false
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}
