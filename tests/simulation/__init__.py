"""A seeded simulation of a whole server: time, network, disk and peers are made up, the server is real.

`python -m tests.simulation SECONDS` runs seeds until the time is over; `--seed N` runs one.
CONTRIBUTING.md tells how to read a failure. The files, in the order of need:

- `virtual_loop`, `network`, `determinism`: time, sockets and chance, all from the seed;
- `faulty_store`, `server_machine`: the server under test on a machine that can crash;
- `plan`: from a seed to accounts, mail and faults;
- `senders`, `primaries`, `customers`, `troubles`: everybody who speaks to the server, and its bad luck;
- `books`: what everybody saw, and the invariants; `story`: one run; `mutants`: faults put in on purpose.
"""
