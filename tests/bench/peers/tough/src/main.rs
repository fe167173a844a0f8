// SPDX-License-Identifier: Apache-2.0
// A client made of tough: verifies a repository and downloads targets, whose bytes it drops.
//   peer-tough RUNS AT_ONCE ROOT METADATA_URL TARGETS_URL [TARGET...]
// RUNS: how often the whole of it is done; AT_ONCE: how many targets are downloaded side by side.
// No target named: all that the top-level role lists; "-": none.
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use tough::{HttpTransportBuilder, Limits, Repository, RepositoryLoader, TargetName};
use url::Url;

type Failure = Box<dyn std::error::Error>;

async fn download(repository: &Repository, name: &TargetName) -> Result<(), Failure> {
    let stream = repository.read_target(name).await?;
    let mut stream = stream.ok_or_else(|| format!("no target {}", name.raw()))?;
    while let Some(bytes) = stream.try_next().await? {
        std::hint::black_box(&bytes);
    }
    Ok(())
}

async fn run(root: &[u8], metadata: &Url, targets: &Url, wanted: &[String], at_once: usize) -> Result<(), Failure> {
    let limits = Limits {
        max_root_size: 1 << 20,
        max_targets_size: 64 << 20,
        max_timestamp_size: 1 << 20,
        max_snapshot_size: 64 << 20,
        max_root_updates: 1024,
    };
    // tough 0.24 waits its first backoff, 100 ms, before the first request of each file as well.
    let transport = HttpTransportBuilder::new().initial_backoff(Duration::ZERO).build();
    let repository = RepositoryLoader::new(&root, metadata.clone(), targets.clone())
        .transport(transport)
        .limits(limits)
        .load()
        .await?;
    let names = if wanted == ["-"] {
        Vec::new()
    } else if wanted.is_empty() {
        repository.targets().signed.targets.keys().cloned().collect::<Vec<_>>()
    } else {
        wanted.iter().map(TargetName::new).collect::<Result<Vec<_>, _>>()?
    };
    futures::stream::iter(names.iter().map(|name| download(&repository, name)))
        .buffer_unordered(at_once)
        .try_collect::<()>()
        .await
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let (runs, at_once) = (arguments[1].parse::<usize>()?, arguments[2].parse::<usize>()?);
    let root = std::fs::read(&arguments[3])?;
    let metadata = Url::parse(&arguments[4])?;
    let targets = Url::parse(&arguments[5])?;
    for _ in 0..runs {
        run(&root, &metadata, &targets, &arguments[6..], at_once).await?;
    }
    Ok(())
}
