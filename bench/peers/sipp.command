# SPDX-License-Identifier: GPL-3.0-or-later
# How bench/media runs SIPp (Debian's sip-tester): one process, its defaults, each call sends and takes G.711.
sipp {remote} -sf {scenario} -i 127.0.0.1 -p {port} -mi 127.0.0.1 -mp {media}
  -l {calls} -m {calls} -r {rate} -d {milliseconds} -nostdin -nd -trace_err
