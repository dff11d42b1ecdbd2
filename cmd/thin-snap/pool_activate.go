package main

import "github.com/urfave/cli/v2"

func poolActivateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "activate",
		Usage:     "make the devices of pools",
		UsageText: "thin-snap pool activate NAME...",
		Description: "A mount of a volume does this by itself. A pool that is active already\n" +
			"stays active.\n\n" +
			"   thin-snap pool activate demo",
		Action: e.action(operands{"NAME", 1, -1}, poolActivate),
	}
}

func poolActivate(c *call) (work, error) {
	return eachPool(c, "activate", system.ActivatePool)
}
