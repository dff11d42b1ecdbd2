package main

import "github.com/urfave/cli/v2"

func poolDeactivateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "deactivate",
		Usage:     "remove the devices of pools",
		UsageText: "thin-snap pool deactivate NAME...",
		Description: "A pool with an active volume is refused. One that is inactive already stays so.\n\n" +
			"   thin-snap pool deactivate demo",
		Action: e.action(operands{"NAME", 1, -1}, poolDeactivate),
	}
}

func poolDeactivate(c *call) (work, error) {
	return eachPool(c, "deactivate", system.DeactivatePool)
}
