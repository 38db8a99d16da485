from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fall_risk", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(model_name="assessment", name="assessment_latest"),
        migrations.AddIndex(
            model_name="assessment",
            index=models.Index(
                fields=["patient", "-assessed_on", "-created_at"], name="assessment_latest",
                condition=models.Q(("status", "complete")),
                include=("category", "next_due_on", "age_band", "completed_by", "conditions"),
            ),
        ),
    ]
