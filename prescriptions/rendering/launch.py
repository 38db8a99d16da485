"""`python launch.py READ WRITE PROGRAM ARGUMENT...`: become PROGRAM, with the two pipes as its descriptors 3 and 4.

Chromium's `--remote-debugging-pipe` asks for those two numbers. A process of its own moves them there, because a worker
has threads, and nothing of Python may run between its fork and the next program. Standard library only.
"""
import fcntl
import os
import sys

FIRST_FREE = 10     # out of the way of 3 and 4 while they are moved
NICENESS = 5        # pages and generations go before pictures


def main():
    read, write = (fcntl.fcntl(int(number), fcntl.F_DUPFD, FIRST_FREE) for number in sys.argv[1:3])
    os.dup2(read, 3)
    os.dup2(write, 4)
    os.close(read)
    os.close(write)
    os.nice(NICENESS)
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 - the program that our caller found


if __name__ == "__main__":
    main()
