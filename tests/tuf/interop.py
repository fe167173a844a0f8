# SPDX-License-Identifier: Apache-2.0
# The python-tuf side of interop_test.cc.
#   interop.py write FOLDER      writes repositories with python-tuf's Metadata API
#   interop.py update FOLDER ROOT TARGET...
#                                lets ngclient's Updater refresh from FOLDER/metadata, starting from
#                                ROOT, and download each TARGET from FOLDER/targets
import sys
import tempfile
import urllib.parse
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import (DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot,
                              SuccinctRoles, TargetFile, Targets, Timestamp)
from tuf.ngclient import FetcherInterface, Updater

EXPIRES = datetime(2037, 1, 1, tzinfo=timezone.utc).replace(microsecond=0)
SIGNERS = {
    "ed25519": CryptoSigner.generate_ed25519,
    "rsa": lambda: CryptoSigner.generate_rsa(scheme="rsassa-pss-sha256"),
    "ecdsa": CryptoSigner.generate_ecdsa,
}


def signer_of(private_key, scheme):
    return CryptoSigner(private_key, SSlibKey.from_crypto(private_key.public_key(), scheme=scheme))


# Every other scheme that securesystemslib signs with, a role each.
SCHEMES = {
    "schemes-a": {
        "root": lambda: CryptoSigner.generate_rsa(scheme="rsassa-pss-sha512"),
        "timestamp": lambda: CryptoSigner.generate_rsa(scheme="rsassa-pss-sha384"),
        "snapshot": lambda: CryptoSigner.generate_rsa(scheme="rsa-pkcs1v15-sha256"),
        "targets": lambda: CryptoSigner.generate_rsa(scheme="rsa-pkcs1v15-sha384"),
    },
    "schemes-b": {
        "root": lambda: CryptoSigner.generate_rsa(scheme="rsa-pkcs1v15-sha512"),
        "timestamp": lambda: signer_of(ec.generate_private_key(ec.SECP384R1()),
                                       "ecdsa-sha2-nistp384"),
        "snapshot": lambda: signer_of(ec.generate_private_key(ec.SECP521R1()),
                                      "ecdsa-sha2-nistp521"),
        "targets": CryptoSigner.generate_ecdsa,
    },
}


class Repository:
    """One repository below `folder`; every role is signed by a fresh key of one kind."""

    def __init__(self, folder, kind, consistent, signers=None):
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        self.metadata.mkdir(parents=True)
        self.targets.mkdir()
        self.kind, self.consistent = kind, consistent
        self.signers = {role: (signers[role] if signers else SIGNERS[kind])() for role in
                        ("root", "timestamp", "snapshot", "targets")}
        self.roles = {"targets": Targets(expires=EXPIRES)}
        self.role_signers = {"targets": self.signers["targets"]}
        self.root = Root(expires=EXPIRES, consistent_snapshot=consistent)
        for role, signer in self.signers.items():
            self.root.add_key(signer.public_key, role)

    def add_target(self, role, path, content):
        target = TargetFile.from_data(path, content, ["sha256", "sha512"])
        self.roles[role].targets[path] = target
        folder, _, name = path.rpartition("/")
        (self.targets / folder).mkdir(parents=True, exist_ok=True)
        if self.consistent:
            name = target.hashes["sha256"] + "." + name
        (self.targets / folder / name).write_bytes(content)

    def delegate(self, delegator, name, **how):
        signer = SIGNERS[self.kind]()
        parent = self.roles[delegator]
        if parent.delegations is None:
            parent.delegations = Delegations(keys={}, roles={})
        terminating = how.pop("terminating", False)
        parent.delegations.roles[name] = DelegatedRole(name, [], 1, terminating, **how)
        parent.add_key(signer.public_key, name)
        self.roles[name] = Targets(expires=EXPIRES)
        self.role_signers[name] = signer

    def delegate_bins(self, bit_length, prefix):
        signer = SIGNERS[self.kind]()
        self.roles["targets"].delegations = Delegations(
            keys={}, succinct_roles=SuccinctRoles([], 1, bit_length, prefix))
        succinct = self.roles["targets"].delegations.succinct_roles
        self.roles["targets"].add_key(signer.public_key)
        for name in succinct.get_roles():
            self.roles[name] = Targets(expires=EXPIRES)
            self.role_signers[name] = signer
        return succinct

    def write(self, name, signed, signers, versioned=True):
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        prefix = f"{signed.version}." if versioned else ""
        data = metadata.to_bytes()
        quoted = urllib.parse.quote(name, safe="")
        (self.metadata / f"{prefix}{quoted}.json").write_bytes(data)
        return data

    def rotate_root(self):
        old = self.signers["root"]
        self.signers["root"] = SIGNERS[self.kind]()
        self.root.revoke_key(old.public_key.keyid, "root")
        self.root.add_key(self.signers["root"].public_key, "root")
        self.root.version += 1
        self.write("root", self.root, [old, self.signers["root"]])

    def publish(self):
        self.write("root", self.root, [self.signers["root"]])
        snapshot = Snapshot(expires=EXPIRES, meta={})
        for name, role in self.roles.items():
            data = self.write(name, role, [self.role_signers[name]], self.consistent)
            snapshot.meta[f"{name}.json"] = MetaFile.from_data(role.version, data, ["sha256"])
        data = self.write("snapshot", snapshot, [self.signers["snapshot"]], self.consistent)
        listed = MetaFile.from_data(1, data, ["sha256", "sha512"])
        timestamp = Timestamp(expires=EXPIRES, snapshot_meta=listed)
        self.write("timestamp", timestamp, [self.signers["timestamp"]], False)


def write(folder):
    for kind in SIGNERS:
        for consistent in (True, False):
            name = kind + ("-consistent" if consistent else "-plain")
            repository = Repository(folder / name, kind, consistent)
            repository.add_target("targets", "hello.txt", b"hello\n")
            repository.delegate("targets", "apps/ünï \"quoted\"", paths=["apps/*"])
            repository.add_target("apps/ünï \"quoted\"", "apps/one", b"one\n")
            repository.delegate("apps/ünï \"quoted\"", "deep", path_hash_prefixes=["0",
                                *"123456789abcdef"], terminating=True)
            repository.add_target("deep", "apps/two", b"two\n")
            repository.publish()
            repository.rotate_root()
    for name, signers in SCHEMES.items():
        repository = Repository(folder / name, "ed25519", True, signers)
        repository.add_target("targets", "hello.txt", b"hello\n")
        repository.publish()
    bins = Repository(folder / "bins", "ed25519", True)
    succinct = bins.delegate_bins(5, "bin")
    for i in range(20):
        path = f"apps/{i}"
        bins.add_target(succinct.get_role_for_target(path), path, str(i).encode())
    bins.publish()


class FolderFetcher(FetcherInterface):
    """Answers URLs of http://repository/ from a folder."""

    def __init__(self, folder):
        self.folder = folder

    def _fetch(self, url):
        # The URL's path is the file's name: role names stay percent-encoded on disk.
        path = self.folder / url.removeprefix("http://repository/")
        if not path.is_file():
            raise DownloadHTTPError(f"no {path}", 404)
        yield path.read_bytes()


def update(folder, root, targets):
    with tempfile.TemporaryDirectory() as state:
        downloads = Path(state) / "downloads"
        downloads.mkdir()
        updater = Updater(
            metadata_dir=state, metadata_base_url="http://repository/metadata/",
            target_dir=str(downloads), target_base_url="http://repository/targets/",
            fetcher=FolderFetcher(folder), bootstrap=Path(root).read_bytes())
        updater.refresh()
        for name in targets:
            info = updater.get_targetinfo(name)
            if info is None:
                raise SystemExit(f"python-tuf does not find {name}")
            updater.download_target(info)
            print(f"python-tuf accepts {name}")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]))
    else:
        update(Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
