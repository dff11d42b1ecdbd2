package spec

import (
	"encoding/json"
	"testing"
)

// The words are those of pool.json and of the command line.
func TestOnFull(t *testing.T) {
	for word, want := range map[string]OnFull{
		"error": OnFullError, "queue": OnFullQueue, "": "", "Error": "", "panic": "",
	} {
		o := OnFull(word)
		if o.Valid() != (want != "") || o.Valid() && o != want {
			t.Errorf("%q: %v", word, o.Valid())
		}
		if b, err := json.Marshal(o); err != nil || string(b) != `"`+word+`"` {
			t.Errorf("%q: %s, %v", word, b, err)
		}
	}
}
