"""An upload handler runs a converter with subprocess.run, on the loop."""

import asyncio
import subprocess
import sys

EXPECT = {
    "kind": "blocking_call",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["upload:41"],
    "cause": ["blocking_call__convert_video.py"],
    "bystanders": ["heartbeat", "upload:40"],
    "report": "home-assistant/core#119083",
}


def convert(seconds):
    """Stands for a video converter."""
    program = f"import time; time.sleep({seconds})"
    return subprocess.run([sys.executable, "-c", program], check=True).returncode


async def upload(number, seconds):
    await asyncio.sleep(0.1)
    if seconds:
        print("READY", flush=True)
        convert(seconds)
    return number


async def heartbeat():
    while True:
        await asyncio.sleep(0.2)


async def main():
    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    await asyncio.create_task(upload(40, 0), name="upload:40")
    while True:
        await asyncio.create_task(upload(41, 60), name="upload:41")
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
