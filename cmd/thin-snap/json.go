package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// writeJSON prints one JSON object. New versions of thin-snap may add fields to
// it; any other change raises the major version.
func (l *listing[T]) writeJSON(w io.Writer, things []T) error {
	records := make([]any, len(things))
	for i, t := range things {
		records[i] = l.record(t)
	}
	list, err := marshal(records)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `{"output_version":{"command":%q,"major":1,"minor":0},%q:%s}`+"\n", l.command, l.key, list)
	return err
}

// jsonTime returns t as JSON has it: UTC, in whole seconds.
func jsonTime(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSpace(b.String())), nil
}
