// SPDX-License-Identifier: Apache-2.0
// A client made of go-tuf: verifies a repository and downloads targets into memory.
//
//	peer-go-tuf RUNS AT_ONCE ROOT METADATA_URL TARGETS_URL [TARGET...]
//
// RUNS: how often the whole of it is done. AT_ONCE: how many targets are downloaded side by side.
// No target named: all that the top-level role lists; "-": none.
package main

import (
	"log"
	"os"
	"strconv"
	"sync"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/fetcher"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func run(download fetcher.Fetcher, root []byte, metadataURL, targetsURL string, wanted []string, atOnce int) {
	settings := must(config.New(metadataURL, root))
	settings.Fetcher = download
	settings.RemoteTargetsURL = targetsURL
	settings.DisableLocalCache = true
	settings.MaxDelegations = 1 << 20
	settings.SnapshotMaxLength = 64 << 20
	settings.TargetsMaxLength = 64 << 20
	client := must(updater.New(settings))
	if err := client.Refresh(); err != nil {
		log.Fatal(err)
	}
	var targets []*metadata.TargetFiles
	if len(wanted) == 0 {
		for _, target := range client.GetTopLevelTargets() {
			targets = append(targets, target)
		}
	}
	for _, name := range wanted {
		if name == "-" {
			continue
		}
		targets = append(targets, must(client.GetTargetInfo(name)))
	}
	queue := make(chan *metadata.TargetFiles)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for target := range queue {
				if _, _, err := client.DownloadTarget(target, "-", ""); err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	for _, target := range targets {
		queue <- target
	}
	close(queue)
	workers.Wait()
}

func main() {
	if len(os.Args) < 6 {
		log.Fatal("usage: peer-go-tuf RUNS AT_ONCE ROOT METADATA_URL TARGETS_URL [TARGET...]")
	}
	runs := must(strconv.Atoi(os.Args[1]))
	atOnce := must(strconv.Atoi(os.Args[2]))
	root := must(os.ReadFile(os.Args[3]))
	download := fetcher.NewDefaultFetcher()
	for range runs {
		run(download, root, os.Args[4], os.Args[5], os.Args[6:], atOnce)
	}
}
