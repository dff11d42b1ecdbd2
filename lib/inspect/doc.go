// Package inspect implements "pool check" and its repairs. It gathers the facts
// about a pool (look.go, look_use.go) and has lib/check compare them. It
// carries out the repairs that the user agreed to: task.go says for each type
// of repair when and by which function (repair.go, repair_metadata.go,
// repair_head.go, strays.go).
package inspect
