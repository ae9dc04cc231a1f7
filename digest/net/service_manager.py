"""Tell a service manager how this process is: sd_notify(3), by one datagram to the socket that it names."""

import socket


def notify(path: str, state: str) -> bool:
    """Send a state such as "READY=1" to the socket at `path`; return whether it was taken.

    A path that begins with "@" is in Linux's abstract namespace. A manager that has gone is no fault of ours:
    nothing is raised.
    """
    address = f"\0{path[1:]}" if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), address)
    except OSError:
        return False
    return True
