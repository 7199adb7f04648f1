-- Run once, when the database is made.
CREATE DATABASE synapse;
