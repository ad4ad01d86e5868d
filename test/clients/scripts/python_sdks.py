"""OpenAI and Anthropic Python SDKs, LangChain and pydantic-ai: one JSON line a check."""

import base64
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

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

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


def openai_chat_controls():
    def ask(content, **controls):
        return chat.chat.completions.create(model=MODEL, messages=user(content), **controls).choices

    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    both = ask([{"type": "text", "text": "see"}, image], n=2)
    assert len(both) == 2 and "IMAGE:image/png" in both[1].message.content
    assert ask("[[long 50]]", stop="w3")[0].message.content == "w0 w1 w2 "
    assert ask("[[long 50]]", max_tokens=5)[0].finish_reason == "length"
    assert ask("[[refuse]]")[0].message.refusal


def openai_responses_tool():
    tools = [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}]
    first = chat.responses.create(model=MODEL, input=ASK, tools=tools)
    call = next(item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    last = chat.responses.create(model=MODEL, input=[result], tools=tools, previous_response_id=first.id)
    assert "sunny" in last.output_text


def openai_models():
    assert "gpt-6.1-sol" in [model.id for model in chat.models.list()]
    assert chat.models.retrieve("gpt-5.5").id == "gpt-5.5"


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


def anthropic_parse():
    answer = claude.messages.parse(model=MODEL, max_tokens=500, messages=user("x"), output_format=Title)
    assert answer.parsed_output.title


def anthropic_thinking():
    tools = [{"name": "get_weather", "description": "weather", "input_schema": SCHEMA}]
    settings = {"model": MODEL, "max_tokens": 900, "tools": tools, "thinking": {"type": "adaptive"}}
    with claude.messages.stream(**settings, messages=user(f"[[reason]] {ASK}")) as stream:
        first = stream.get_final_message()
    assert [block.signature for block in first.content if block.type == "thinking"]
    call = next(block for block in first.content if block.type == "tool_use")
    result = user([{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}])
    history = [*user(f"[[reason]] {ASK}"), {"role": "assistant", "content": first.content}, *result]
    last = claude.messages.create(**settings, messages=history)
    assert "sunny" in last.content[-1].text


def anthropic_content():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    data = base64.b64encode(b"%PDF-1.4").decode()
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}
    answer = claude.messages.create(model=MODEL, max_tokens=500, messages=user([image, pdf]))
    assert "IMAGE:image/png" in answer.content[-1].text and "FILE:" in answer.content[-1].text
    settings = {"model": MODEL, "messages": user("[[long 50]]")}
    assert claude.messages.create(**settings, max_tokens=500, stop_sequences=["w3"]).stop_reason == "stop_sequence"
    assert claude.messages.create(**settings, max_tokens=5).stop_reason == "max_tokens"


def anthropic_models():
    assert "gpt-6.1-sol" in [model.id for model in claude.models.list()]


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
    "openai chat image, n, stop, max_tokens, refusal": openai_chat_controls,
    "openai responses": openai_responses,
    "openai responses tool and previous_response_id": openai_responses_tool,
    "openai models": openai_models,
    "openai errors": openai_errors,
    "anthropic messages": anthropic_messages,
    "anthropic tool runner": anthropic_tool_runner,
    "anthropic parse": anthropic_parse,
    "anthropic thinking goes round": anthropic_thinking,
    "anthropic image, document, stop, max_tokens": anthropic_content,
    "anthropic models": anthropic_models,
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
