package table

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteJSON prints one JSON object: the list of a command under its key. New
// versions of thin-snap may add fields to it; any other change raises the major
// version.
func WriteJSON(w io.Writer, command, key string, list any) error {
	raw, err := marshal(list)
	if err != nil {
		return err
	}
	const object = `{"output_version":{"command":%q,"major":1,"minor":0},%q:%s}` + "\n"
	_, err = fmt.Fprintf(w, object, command, key, raw)
	return err
}

func (l *Listing[T]) writeJSON(w io.Writer, things []T) error {
	records := make([]any, len(things))
	for i, t := range things {
		records[i] = l.Record(t)
	}
	return WriteJSON(w, l.Command, l.Key, records)
}

// OrNull returns nil, which is null in JSON, for "", by which lib/thin says
// "none".
func OrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Time returns t as JSON has it: UTC, in whole seconds.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSpace(b.String())), nil
}
