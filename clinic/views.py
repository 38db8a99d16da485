"""The clinic's own pages: where each role starts, and the administrator's lists."""
from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.forms import UserForm
from clinic.models import Role
from clinic.pages import page, paged, status_of, submitted
from clinic.selectors import user_list
from clinic.services import user_create

_STARTS = {Role.ADMINISTRATOR: "job_list", Role.CLINICIAN: "patient_list", Role.PATIENT: "today"}


@page(GET="self.view")
def home(request: HttpRequest) -> HttpResponse:
    return redirect(_STARTS[request.user.role])


@page(GET="user.list")
def people(request: HttpRequest) -> HttpResponse:
    return render(request, "clinic/people.html", {"people": paged(request, user_list(user=request.user))})


@page(GET="user.create", POST="user.create")
def person_new(request: HttpRequest) -> HttpResponse:
    form = UserForm(request.POST or None)
    if request.method == "POST" and submitted(form, user_create, actor=request.user, clinic=request.user.clinic):
        return redirect("people")
    return render(request, "clinic/person_new.html", {"form": form}, status=status_of(form))
