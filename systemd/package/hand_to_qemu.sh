#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Within a user and mount namespace of its own: programs for arm64 start as any do from now on, for
# the kernel hands them to qemu. In this namespace alone; ends with another status than 0 where the
# kernel (before 6.7) cannot have that.
#   hand_to_qemu.sh FOLDER QEMU    FOLDER: where binfmt_misc is mounted, and stays
set -euo pipefail
mkdir -p "$1"
mount -t binfmt_misc binfmt_misc "$1" 2>/dev/null
elf='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
# F: qemu is opened now, so that it is found whatever the root is.
printf %s ":arm64:M::$elf:$mask:$2:F" >"$1/register"
