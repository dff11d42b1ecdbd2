// Package inspect implements "pool check" and its repairs. It gathers the facts
// about a pool (look.go, look_use.go) and has lib/check compare them. It
// repairs the findings that the user agreed to (repair.go, repair_metadata.go,
// repair_head.go, strays.go).
package inspect
