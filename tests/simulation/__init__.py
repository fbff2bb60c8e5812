"""A seeded simulation of a real server: time, network, disk and peers are simulated.

`python -m tests.simulation SECONDS` runs seeds until the time is over; `--seed N` runs one.
CONTRIBUTING.md tells how to read a failure. The files, in the order of need:

- `virtual_loop`, `network`, `determinism`: time, sockets and chance, all from the seed;
- `faulty_store`, `server_machine`: the server under test on a machine that can crash;
- `plan`: from a seed to accounts, mail and faults;
- `senders`, `primaries`, `customers`, `troubles`: the peers of the server, and its faults;
- `books`: all observations, and the invariants; `story`: one run; `mutants`: planted faults.
"""
