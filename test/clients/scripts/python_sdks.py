"""OpenAI and Anthropic Python SDKs, LangChain and pydantic-ai: one JSON line a check."""

import json
import os
import traceback

import anthropic
import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

BASE = os.environ["BASE_URL"]
MODEL = os.environ["MODEL"]
ASK = '[[tool name=get_weather args={"city":"Bern"}]]'
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

chat = openai.OpenAI(base_url=f"{BASE}/v1", api_key="unused", max_retries=0)
claude = anthropic.Anthropic(base_url=BASE, api_key="unused", max_retries=0)


class Title(BaseModel):
    title: str


def user(content):
    return [{"role": "user", "content": content}]


def openai_chat():
    answer = chat.chat.completions.create(model=MODEL, messages=user("hello"))
    assert "hello" in answer.choices[0].message.content
    with chat.chat.completions.stream(model=MODEL, messages=user("hello")) as stream:
        for _ in stream:
            pass
        assert "hello" in stream.get_final_completion().choices[0].message.content


def openai_chat_parse():
    parsed = chat.chat.completions.parse(model=MODEL, messages=user("x"), response_format=Title)
    assert parsed.choices[0].message.parsed.title


def openai_chat_tool():
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    first = chat.chat.completions.create(model=MODEL, messages=user(ASK), tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "sunny"}
    last = chat.chat.completions.create(model=MODEL, messages=[*user(ASK), first, result], tools=tools)
    assert "sunny" in last.choices[0].message.content


def openai_responses():
    assert "hello" in chat.responses.create(model=MODEL, input="hello").output_text
    with chat.responses.stream(model=MODEL, input="hello") as stream:
        for _ in stream:
            pass
        assert "hello" in stream.get_final_response().output_text
    assert chat.responses.parse(model=MODEL, input="x", text_format=Title).output_parsed.title


def openai_errors():
    try:
        chat.chat.completions.create(model="gpt-none", messages=user("x"))
        raise AssertionError("no error")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found" and error.request_id


def anthropic_messages():
    answer = claude.messages.create(model=MODEL, max_tokens=500, messages=user("hello"))
    assert "hello" in answer.content[-1].text
    with claude.messages.stream(model=MODEL, max_tokens=500, messages=user("hello")) as stream:
        text = "".join(stream.text_stream)
        assert stream.get_final_message().content[-1].text == text
    assert claude.messages.count_tokens(model=MODEL, messages=user("hello")).input_tokens > 3


def anthropic_tool_runner():
    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """Weather of a city."""
        return f"sunny in {city}"

    runner = claude.beta.messages.tool_runner(model=MODEL, max_tokens=500, tools=[get_weather], messages=user(ASK))
    final = runner.until_done()
    assert "sunny in Bern" in "".join(block.text for block in final.content if block.type == "text")


def anthropic_errors():
    try:
        claude.messages.create(model="gpt-none", max_tokens=5, messages=user("x"))
        raise AssertionError("no error")
    except anthropic.NotFoundError as error:
        assert error.request_id


@tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


def langchain(model):
    bound = model.bind_tools([get_weather])
    first = bound.invoke(ASK)
    call = first.tool_calls[0]
    result = get_weather.invoke(call)
    last = bound.invoke([("user", ASK), first, result])
    assert "sunny in Bern" in str(last.content), last.content
    streamed = "".join(str(chunk.text) for chunk in model.stream("hello"))
    assert "hello" in streamed, streamed


def pydantic(model):
    agent = Agent(model)

    @agent.tool_plain
    def get_weather(city: str) -> str:
        return f"sunny in {city}"

    assert "sunny in Bern" in agent.run_sync(ASK).output


provider = OpenAIProvider(base_url=f"{BASE}/v1", api_key="unused")
CHECKS = {
    "openai chat": openai_chat,
    "openai chat parse": openai_chat_parse,
    "openai chat tool": openai_chat_tool,
    "openai responses": openai_responses,
    "openai errors": openai_errors,
    "anthropic messages": anthropic_messages,
    "anthropic tool runner": anthropic_tool_runner,
    "anthropic errors": anthropic_errors,
    "langchain chat": lambda: langchain(ChatOpenAI(model=MODEL, base_url=f"{BASE}/v1", api_key="unused")),
    "langchain responses": lambda: langchain(
        ChatOpenAI(model=MODEL, base_url=f"{BASE}/v1", api_key="unused", use_responses_api=True)
    ),
    "langchain anthropic": lambda: langchain(ChatAnthropic(model=MODEL, base_url=BASE, api_key="unused", max_tokens=900)),
    "pydantic-ai chat": lambda: pydantic(OpenAIChatModel(MODEL, provider=provider)),
    "pydantic-ai responses": lambda: pydantic(OpenAIResponsesModel(MODEL, provider=provider)),
    "pydantic-ai anthropic": lambda: pydantic(
        AnthropicModel(MODEL, provider=AnthropicProvider(base_url=BASE, api_key="unused"))
    ),
}

for name, check in CHECKS.items():
    try:
        check()
        print(json.dumps({"name": name}), flush=True)
    except BaseException:
        print(json.dumps({"name": name, "error": traceback.format_exc()[-1500:]}), flush=True)
