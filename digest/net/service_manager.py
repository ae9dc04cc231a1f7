"""Report this process's state to a service manager: sd_notify(3), one datagram to its socket."""

import socket


def notify(path: str, state: str) -> bool:
    """Send a state such as "READY=1" to the socket at `path`; return whether it was sent.

    A path that begins with "@" is in Linux's abstract namespace. A manager that has gone is not our fault:
    nothing is raised.
    """
    address = f"\0{path[1:]}" if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), address)
    except OSError:
        return False
    return True
