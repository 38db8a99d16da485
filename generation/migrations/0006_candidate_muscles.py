import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0005_preview'),
    ]

    operations = [
        migrations.CreateModel(
            name='CandidateMuscles',
            fields=[
                ('candidate', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='muscles', serialize=False, to='generation.candidatemotion')),
                ('route', models.CharField(choices=[('fast', 'fast route'), ('opensim', 'OpenSim')], max_length=8)),
                ('document_gzip', models.BinaryField()),
            ],
        ),
    ]
