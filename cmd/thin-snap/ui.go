package main

// How thin-snap talks: data on standard output, all else on standard error behind "thin-snap: ", in lower case, with the object before
// the reason and no period; a hint names what to type. Success is silent.

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

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
	fmt.Fprintf(w, "thin-snap: %s\n", oneLine(err.Error()))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(w, "thin-snap: hint: %s\n", oneLine(hint))
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

// reportJSON prints {"error":{"code":5,"message":"..."}}.
func reportJSON(w io.Writer, code int, err error) {
	type body struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	// What stands on a failing standard error nobody can be told.
	_ = e.Encode(map[string]body{"error": {code, err.Error()}})
}

func hintOf(err error) string {
	var usage *usageError
	if errors.As(err, &usage) {
		return usage.hint
	}
	return thin.Hint(err)
}

// oneLine keeps a message on its line, and from telling a terminal anything: a name in it may come from anywhere.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

func warn(w io.Writer, message string) {
	fmt.Fprintf(w, "thin-snap: warning: %s\n", oneLine(message))
}

// ask puts a question to the terminal; only y or yes is a yes.
func ask(in io.Reader, w io.Writer, question string) bool {
	fmt.Fprintf(w, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}
