"""The scenarios of bench/run: each is the base with some of its properties changed."""

BASE = {
    "messages": 100_000,
    "kb": 10,               # of a whole message as it is on the wire
    "domains": 200,
    "connections": 4_000,   # at most, over all domains
    "per_domain": 20,       # connections at most; the engine's default, as the next is
    "per_session": 100,     # messages
    "dkim": "none",         # none rsa2048 ed25519
    "tls": False,           # full handshake for each new connection to a host, then resumed
    "rtt_ms": 0,
    "durability": "power",  # power: fsync per group commit; process: no fsync; none: no log
    "chunking": True,       # offered by the receivers
    "mix": "perfect",       # a profile of posthorn-sink
    "senders": 1,           # threads
    "kind": "send",         # send; import: a list and nothing sent; import-full: with segment, excludes, ranks
}

SCENARIOS = {name: {**BASE, **changed} for name, changed in {
    "base": {},
    "2kb": {"kb": 2},
    "100kb": {"kb": 100, "messages": 20_000},
    "1-domain": {"domains": 1},
    "20000-domains": {"domains": 20_000},
    "rsa": {"dkim": "rsa2048", "messages": 20_000},
    "ed25519": {"dkim": "ed25519", "messages": 50_000},
    "rsa-2-senders": {"dkim": "rsa2048", "messages": 20_000, "senders": 2},
    "tls": {"tls": True},
    "process": {"durability": "process"},
    "none": {"durability": "none"},
    "2-senders": {"senders": 2},
    "pipelining": {"chunking": False},
    "1-connection": {"domains": 1, "connections": 1, "per_domain": 1, "messages": 20_000},
    "100-connections": {"connections": 100},
    "1000-connections": {"connections": 1_000, "per_session": 1_000, "messages": 400_000},
    "1000-connections-20ms": {"connections": 1_000, "per_session": 1_000, "messages": 400_000, "rtt_ms": 20},
    "1000-connections-100ms": {"connections": 1_000, "per_session": 1_000, "messages": 400_000, "rtt_ms": 100},
    "5000-connections": {"domains": 1_000, "connections": 5_000},
    "realistic": {"mix": "realistic", "messages": 20_000},
    "import": {"kind": "import", "messages": 1_000_000},
    "import-full": {"kind": "import-full", "messages": 1_000_000},
    "1-million-20000-domains": {"messages": 1_000_000, "domains": 20_000},
    "1-million": {"messages": 1_000_000},
    "10-million": {"messages": 10_000_000},
}.items()}

# Takes minutes for each repeat; only when named.
NOT_BY_DEFAULT = {"realistic", "1-million", "1-million-20000-domains", "10-million"}


def describe(properties):
    """All of them, in words."""
    if properties["kind"] != "send":
        what = "plain list" if properties["kind"] == "import" else "with segment, exclude list, ranks"
        return f"import of {properties['messages']:,} rows, {what}, durability {properties['durability']}"
    dkim = {"none": "unsigned", "rsa2048": "DKIM RSA-2048", "ed25519": "DKIM Ed25519"}[properties["dkim"]]
    return ", ".join([
        f"{properties['messages']:,} messages of {properties['kb']} KB", f"domains {properties['domains']:,}",
        f"connections <= {properties['connections']:,} ({properties['per_domain']} a domain, of {properties['per_session']:,} messages)", dkim,
        "TLS" if properties["tls"] else "no TLS", f"RTT {properties['rtt_ms']} ms",
        f"durability {properties['durability']}",
        ("chunking" if properties["chunking"] else "pipelining only"), f"replies {properties['mix']}",
        f"senders {properties['senders']}"])
