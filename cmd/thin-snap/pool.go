package main

import "github.com/urfave/cli/v2"

func poolCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "pool",
		Usage:     "make, list, grow and remove pools",
		UsageText: "thin-snap pool COMMAND [OPTION...] [NAME...]",
		Description: "A pool is the storage that volumes share: a device or file for data,\n" +
			"another for metadata.",
		Action: noCommand,
		Subcommands: []*cli.Command{
			poolCreateCommand(e), poolListCommand(e), poolShowCommand(e),
			poolActivateCommand(e), poolDeactivateCommand(e), poolGrowCommand(e),
			poolSetCommand(e), poolDeleteCommand(e), poolCheckCommand(e),
		},
	}
}
