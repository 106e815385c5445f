"""A bot asks a weather service with a blocking HTTP client, and the service is slow today."""

import asyncio
import socket
import threading
import urllib.request

EXPECT = {
    "kind": "blocking_call",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["weather:fetch"],
    "cause": ["blocking_call__weather_http.py"],
    "bystanders": ["gateway-heartbeat", "typing"],
    "report": "python-discord/bot#2832",
}


def slow_service(listener, kept):
    while True:
        connection, _ = listener.accept()
        connection.recv(1000)
        kept.append(connection)  # and no answer


class Weather:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/today"

    def today(self):
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.url) as answer:
            return answer.read()

    async def fetch(self):
        await asyncio.sleep(0.3)
        print("READY", flush=True)
        return self.today()


async def every(seconds):
    while True:
        await asyncio.sleep(seconds)


async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(
        target=slow_service, args=(listener, []), name="weather-service", daemon=True
    ).start()
    weather = Weather(listener.getsockname()[1])
    others = [
        asyncio.create_task(every(0.2), name="gateway-heartbeat"),
        asyncio.create_task(every(0.05), name="typing"),
    ]
    await asyncio.create_task(weather.fetch(), name="weather:fetch")
    for other in others:
        other.cancel()


if __name__ == "__main__":
    asyncio.run(main())
