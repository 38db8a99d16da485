"""What the page doorways share: the permission table at the door, and services behind forms."""
from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import resolve_url
from django.views.decorators.cache import never_cache

from clinic.errors import ServiceError, field_errors
from clinic.permissions import require

PAGE_SIZE = 25


def page(**actions: str) -> Callable:
    """A page that names, for each method, its row of the permission table: `@page(GET="patient.view")`."""

    def decorate(view: Callable) -> Callable:
        @never_cache
        @wraps(view)
        def doorway(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            method = "GET" if request.method == "HEAD" else request.method
            if method not in actions:
                return HttpResponseNotAllowed(actions)
            if not request.user.is_authenticated:
                return _to_login(request)
            require(request.user, actions[method])
            return view(request, *args, **kwargs)

        doorway.actions = actions
        return doorway

    return decorate


def _to_login(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):       # a part of a page: the whole page must go
        return HttpResponse(status=401, headers={"HX-Redirect": resolve_url("account_login")})
    return redirect_to_login(request.get_full_path())


def submitted(form: forms.Form, service: Callable, /, **kwargs):
    """Call a service with what a form holds. None when something is wrong: the form then says what."""
    if not form.is_valid():
        return None
    try:
        return service(**kwargs, **form.cleaned_data)
    except (ServiceError, ValidationError) as error:
        for item in field_errors(error):
            form.add_error(item.field if item.field in form.fields else None, item.message)
        return None


def attempted(request: HttpRequest, service: Callable, done: str, /, **kwargs):
    """Call a service behind a plain button, and say how it went on the next page. None when it was refused."""
    try:
        result = service(**kwargs)
    except (ServiceError, ValidationError) as error:
        for item in field_errors(error):
            messages.error(request, item.message)
        return None
    messages.success(request, done)
    return result


def paged(request: HttpRequest, rows, size: int = PAGE_SIZE) -> Page:
    return Paginator(rows, size).get_page(request.GET.get("page"))


def status_of(form: forms.Form) -> int:
    """422 for a form that is shown again with errors."""
    return 422 if form.is_bound else 200
