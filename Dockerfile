# The demo apps with a console on each; docker-compose.yml runs them.
FROM python:3.13-slim

WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY asyncconsole asyncconsole
COPY demo_apps demo_apps
RUN pip install --no-cache-dir ".[all]" && useradd --create-home demo

USER demo
ENV PYTHONUNBUFFERED=1
CMD ["asyncconsole", "run", "demo_apps/bank.py"]
